-- The oldest messages that nobody looks at: at most $2, and $3 bytes unless the first has more. One that was looked at in
-- vain before goes alone, so that it can cost no other one its reading. $1 milliseconds of the lease
WITH open AS MATERIALIZED (
  SELECT id, attempts, octet_length(raw) AS bytes FROM inbound_message
   WHERE status = 'received' AND (lease_until IS NULL OR lease_until < now())
   ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
), fit AS (
  SELECT id, row_number() OVER up_to_it AS place, max(attempts) OVER up_to_it AS attempts, sum(bytes) OVER up_to_it AS bytes
    FROM open WINDOW up_to_it AS (ORDER BY id)
)
UPDATE inbound_message
   SET attempts = attempts + 1, lease_until = now() + $1::float8 * interval '1 ms'
 WHERE id IN (SELECT id FROM fit WHERE place = 1 OR (attempts = 0 AND bytes <= $3))
RETURNING id, source, raw, envelope_from AS "envelopeFrom", envelope_to AS "envelopeTo", received_at AS "receivedAt", attempts
