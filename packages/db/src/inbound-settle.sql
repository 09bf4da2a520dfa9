-- Ends the wait of messages that were looked at; not of one that came again meanwhile, for somebody else, and waits for
-- another look. $1 messages, $2 attempts, $3 statuses, $4 reasons
WITH held AS MATERIALIZED (
  SELECT m.id, o.status, o.reason
    FROM unnest($1::bigint[], $2::smallint[], $3::inbound_status[], $4::text[]) AS o(id, attempts, status, reason)
    JOIN inbound_message m ON m.id = o.id AND m.attempts = o.attempts AND m.status = 'received'
   -- As all that lock many at once, so that none waits for each other.
   ORDER BY m.sha256 FOR UPDATE OF m
)
UPDATE inbound_message m SET status = held.status, reason = held.reason, lease_until = NULL, processed_at = now()
  FROM held WHERE m.id = held.id
