-- One message at a time: what is looked at is hostile, and nobody waits for it. $1 milliseconds of the lease
UPDATE inbound_message
   SET attempts = attempts + 1, lease_until = now() + $1::float8 * interval '1 ms'
 WHERE id = (
   SELECT id FROM inbound_message
    WHERE status = 'received' AND (lease_until IS NULL OR lease_until < now())
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
 )
RETURNING id, source, raw, envelope_from AS "envelopeFrom", envelope_to AS "envelopeTo", received_at AS "receivedAt", attempts
