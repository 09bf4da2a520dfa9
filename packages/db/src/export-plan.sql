-- $1 client, $2 last ticket, $3 now, $4 settings
INSERT INTO export (client_id, from_ticket, to_ticket, run, day, run_of_day, settings)
SELECT c.id, coalesce(p.to_ticket, 0), $2, coalesce(p.run, 0) + 1, d.day,
       (SELECT count(*) + 1 FROM export e WHERE e.client_id = c.id AND e.day = d.day), $4
  FROM client c
 CROSS JOIN LATERAL (SELECT ($3::timestamptz AT TIME ZONE c.time_zone)::date AS day) d
  LEFT JOIN LATERAL (SELECT run, to_ticket FROM export e WHERE e.client_id = c.id ORDER BY run DESC LIMIT 1) p ON true
 WHERE c.id = $1
RETURNING id
