-- The partial index mailing_open finds the few that are sending, send_batch_open tells at once whether a batch is open.
-- $1 milliseconds
SELECT m.id FROM mailing m
 WHERE m.status = 'sending'
   AND NOT EXISTS (SELECT 1 FROM send_batch b WHERE b.mailing_id = m.id AND b.status <> 'done')
   AND greatest(m.started_at, (SELECT max(b.changed_at) FROM send_batch b WHERE b.mailing_id = m.id)) < now() - $1 * interval '1 ms'
 ORDER BY m.id LIMIT 1000
