-- A run is planned by the exporter, so a tick that the queue lost leaves a schedule that ran and no run after it. The
-- minute is for clocks that differ: last_run_at is the scheduler's, created_at the database's.
-- $1 milliseconds
SELECT s.client_id AS "clientId" FROM schedule s
 WHERE s.kind = 'response_export' AND module_is_on(s.client_id, 'export') AND s.last_run_at < now() - $1 * interval '1 ms'
   AND NOT EXISTS (SELECT 1 FROM export e WHERE e.client_id = s.client_id AND e.created_at > s.last_run_at - interval '1 minute')
 ORDER BY s.client_id LIMIT 1000
