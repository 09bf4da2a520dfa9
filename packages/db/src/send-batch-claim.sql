-- $1 mailing, $2 ordinal, $3 lease in milliseconds
UPDATE send_batch b
   SET status = 'claimed', attempt_id = nextval('id_block'), lease_until = now() + $3 * interval '1 ms', due_at = NULL, changed_at = now()
  FROM mailing m
 WHERE b.mailing_id = $1 AND b.ordinal = $2
   AND m.id = b.mailing_id AND m.status = 'sending'
   AND (b.status = 'queued'
     OR b.status = 'waiting' AND b.due_at <= now()
     OR b.status = 'claimed' AND b.lease_until < now())
RETURNING b.mailing_id AS "mailingId", b.ordinal AS batch, b.attempt_id AS "attemptId", b.first_id AS "firstId", b.last_id AS "lastId"
