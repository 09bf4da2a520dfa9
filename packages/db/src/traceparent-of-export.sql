-- Of a great run's events only the first are looked at: links are for finding the way, not for counting.
-- $1 client, $2 after this ticket, $3 up to this one
WITH mailings AS (
  SELECT id FROM mailing WHERE client_id = $1 AND finished_ticket > $2 AND finished_ticket <= $3
  UNION
  SELECT mailing_id FROM (
    SELECT mailing_id FROM event WHERE client_id = $1 AND ticket > $2 AND ticket <= $3 LIMIT 50000
  ) events
)
SELECT DISTINCT i.traceparent
  FROM mailings JOIN mailing m USING (id) JOIN import i ON i.id = m.import_id
 WHERE i.traceparent IS NOT NULL LIMIT 100
