-- Makes recipients due again, and their batches, unless somebody holds one: who gives it back sees them.
-- $1 mailing, $2 recipients
WITH due AS (
  UPDATE delivery SET status = 'deferred', next_attempt_at = now(), settled_at = now(), reason = 'resent by hand'
   WHERE mailing_id = $1 AND recipient_id = ANY($2::bigint[]) AND status = 'unknown'
  RETURNING recipient_id
)
UPDATE send_batch b SET status = 'waiting', due_at = now(), lease_until = NULL, changed_at = now()
 WHERE b.mailing_id = $1 AND b.status IN ('done', 'waiting')
   AND EXISTS (SELECT 1 FROM due WHERE due.recipient_id BETWEEN b.first_id AND b.last_id)
RETURNING b.mailing_id AS "mailingId", b.ordinal AS batch
