-- What an earlier holder of the lease left in flight. It may be sent or not: only the server knows (RFC 1047).
-- $1 mailing, $2 first recipient, $3 last recipient, $4 attempt that holds the lease now
UPDATE delivery d
   SET status = CASE c.unknown_policy WHEN 'resend' THEN 'deferred' ELSE 'unknown' END::delivery_status,
       next_attempt_at = CASE c.unknown_policy WHEN 'resend' THEN now() END,
       reason = 'the sender was lost before the server''s answer was recorded',
       settled_at = now()
  FROM mailing m JOIN client c ON c.id = m.client_id
 WHERE m.id = $1 AND d.mailing_id = $1 AND d.recipient_id BETWEEN $2 AND $3
   AND d.status = 'in_flight' AND d.attempt_id <> $4
RETURNING d.recipient_id
