-- Batches of mailings that nobody may claim from: the holder fell silent, or the mailing was cancelled. A holder that releases
-- its batch at the same time wins: the row's lock shows what it wrote. Cancelled, a batch has nothing left to do.
-- $1 most batches
WITH abandoned AS (
  SELECT b.mailing_id, b.ordinal, m.status AS mailing_status
    FROM send_batch b JOIN mailing m ON m.id = b.mailing_id
   WHERE b.status <> 'done'
     AND (m.status IN ('paused', 'cancelled') AND b.status = 'claimed' AND b.lease_until < now()
       OR m.status = 'cancelled' AND b.status IN ('queued', 'waiting'))
   ORDER BY b.mailing_id, b.ordinal LIMIT $1
     FOR UPDATE OF b SKIP LOCKED
)
UPDATE send_batch b
   SET status = CASE a.mailing_status WHEN 'cancelled' THEN 'done' ELSE 'queued' END::batch_status,
       lease_until = NULL, due_at = NULL, changed_at = now()
  FROM abandoned a
 WHERE b.mailing_id = a.mailing_id AND b.ordinal = a.ordinal
RETURNING b.mailing_id AS "mailingId", b.ordinal AS batch, b.first_id AS "firstId", b.last_id AS "lastId"
