-- What an earlier holder of the lease left in flight. It may be sent or not: only the server knows (RFC 1047). A cancelled
-- mailing sends nothing again, whatever the client chose.
-- $1 mailing, $2 first recipient, $3 last recipient, $4 attempt that holds the lease now, NULL when none does
UPDATE delivery d
   SET status = CASE WHEN o.again THEN 'deferred' ELSE 'unknown' END::delivery_status,
       next_attempt_at = CASE WHEN o.again THEN now() END,
       reason = 'the sender was lost before the server''s answer was recorded',
       settled_at = now()
  FROM (SELECT c.unknown_policy = 'resend' AND m.status <> 'cancelled' AS again
          FROM mailing m JOIN client c ON c.id = m.client_id WHERE m.id = $1) o
 WHERE d.mailing_id = $1 AND d.recipient_id BETWEEN $2 AND $3
   AND d.status = 'in_flight' AND d.attempt_id IS DISTINCT FROM $4::bigint
RETURNING d.recipient_id
