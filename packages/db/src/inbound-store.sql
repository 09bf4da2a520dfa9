-- The same message again is the same row. When it comes for somebody else, it is looked at again: what was recorded of it
-- stays, and is recorded once. Messages and envelope recipients each come as one value, and where each message's share ends.
-- $1 SHA-256s, $2 sources, $3 all messages, $4 their ends, $5 envelope senders, $6 all envelope recipients, $7 their ends, $8 times
INSERT INTO inbound_message AS m (sha256, source, raw, envelope_from, envelope_to, received_at)
SELECT sha256, source, substr($3::bytea, lag(bytes, 1, 0) OVER given + 1, bytes - lag(bytes, 1, 0) OVER given), envelope_from,
       ($6::text[])[lag(recipients, 1, 0) OVER given + 1 : recipients], received_at
  FROM unnest($1::bytea[], $2::inbound_source[], $4::int[], $5::text[], $7::int[], $8::timestamptz[])
         WITH ORDINALITY AS i(sha256, source, bytes, envelope_from, recipients, received_at, ordinal)
WINDOW given AS (ORDER BY ordinal)
 -- As all that lock many at once, so that none waits for each other.
 ORDER BY sha256
ON CONFLICT (sha256) DO UPDATE
   SET envelope_to = ARRAY(SELECT DISTINCT unnest(m.envelope_to || excluded.envelope_to) ORDER BY 1), raw = excluded.raw,
       status = 'received', reason = NULL, attempts = 0, lease_until = NULL, processed_at = NULL
 WHERE NOT m.envelope_to @> excluded.envelope_to
RETURNING sha256
