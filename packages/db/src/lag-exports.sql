-- Clients whose export is to run now and has not ended: due, or late when that was so $1 milliseconds ago. The minute is for
-- clocks that differ, as in reconcile-forgotten-exports.sql.
SELECT count(*) FILTER (WHERE since >= now() - $1 * interval '1 ms')::int AS due,
       count(*) FILTER (WHERE since < now() - $1 * interval '1 ms')::int AS late
  FROM (
    SELECT CASE
             WHEN e.status = 'planned' THEN e.created_at
             WHEN s.last_run_at - interval '1 minute' > coalesce(e.created_at, '-infinity') THEN s.last_run_at
             WHEN s.next_due_at <= now() THEN s.next_due_at
           END AS since
      FROM schedule s
      LEFT JOIN LATERAL (
        SELECT status, created_at FROM export WHERE client_id = s.client_id ORDER BY run DESC LIMIT 1
      ) e ON true
     WHERE s.kind = 'response_export' AND module_is_on(s.client_id, 'export')
  ) waiting
