-- The same message again is the same row. When it comes for somebody else, it is looked at again: what was recorded of it
-- stays, and is recorded once. $1 SHA-256, $2 source, $3 message, $4 envelope sender, $5 envelope recipients, $6 time
INSERT INTO inbound_message AS m (sha256, source, raw, envelope_from, envelope_to, received_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (sha256) DO UPDATE
   SET envelope_to = ARRAY(SELECT DISTINCT unnest(m.envelope_to || excluded.envelope_to) ORDER BY 1), raw = excluded.raw,
       status = 'received', reason = NULL, attempts = 0, lease_until = NULL, processed_at = NULL
 WHERE NOT m.envelope_to @> excluded.envelope_to
RETURNING id
