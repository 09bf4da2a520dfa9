-- Input rows of a mailing by status. What a cancelled mailing did not send, nobody will: put-off recipients too.
-- $1 mailing
SELECT CASE WHEN r.status <> 'queued' THEN r.status::text
            WHEN m.status = 'cancelled' AND (d.status IS NULL OR d.status = 'deferred') THEN 'cancelled'
            ELSE coalesce(d.status::text, 'queued') END AS status, count(*) AS count
  FROM mailing m
  JOIN mailing_recipient r ON r.mailing_id = m.id
  LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
 WHERE m.id = $1
 GROUP BY 1 ORDER BY 2 DESC, 1
