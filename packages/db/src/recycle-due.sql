-- A mailing whose lifetime is over and that the exports have passed: one that was planned after that day has told all that came
-- within it, and none is half done. Held to the commit; what another scheduler works on is left out.
-- $1 client, $2 now, $3 days after the start
SELECT m.id, m.recycled_id AS "recycledId"
  FROM mailing m
  JOIN client c ON c.id = m.client_id
 CROSS JOIN LATERAL (SELECT coalesce(m.started_at, m.created_at) + $3::int * interval '1 day' AS ends_at) life
 WHERE m.client_id = $1 AND m.recycled_at IS NULL AND m.forgotten_at IS NULL
   AND m.status IN ('finished', 'cancelled', 'failed') AND life.ends_at <= $2
   AND (m.test OR NOT module_is_on(m.client_id, 'export')
     OR EXISTS (SELECT 1 FROM export e WHERE e.client_id = m.client_id AND e.status = 'done'
                                         AND e.day > (life.ends_at AT TIME ZONE c.time_zone)::date)
    AND NOT EXISTS (SELECT 1 FROM export e WHERE e.client_id = m.client_id AND e.status = 'planned'))
 ORDER BY m.created_at LIMIT 1
   FOR UPDATE OF m SKIP LOCKED
