-- What was declared unknown meanwhile takes a late answer, but not one that says to try again: its batch may be done and its
-- mailing told as finished. It stays unknown, and people may have it sent again.
-- $1 mailings, $2 recipients, $3 attempts, $4 statuses, $5 SMTP codes, $6 reasons, $7 milliseconds until the next try
UPDATE delivery d
   SET status = CASE WHEN d.status = 'unknown' AND a.status = 'deferred' THEN 'unknown' ELSE a.status END, smtp_code = a.smtp_code, reason = a.reason, settled_at = now(),
       next_attempt_at = CASE WHEN d.status = 'in_flight' THEN now() + a.retry_in_ms * interval '1 ms' END
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::delivery_status[], $5::smallint[], $6::text[], $7::float8[])
         AS a(mailing_id, recipient_id, attempt_id, status, smtp_code, reason, retry_in_ms)
 WHERE d.mailing_id = a.mailing_id AND d.recipient_id = a.recipient_id AND d.attempt_id = a.attempt_id
   AND d.status IN ('in_flight', 'unknown')
RETURNING d.recipient_id AS "recipientId"
