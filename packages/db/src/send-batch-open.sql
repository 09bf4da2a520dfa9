-- Is anything left to do in a range of recipients? dueInMs, NULL when nothing is put off: until the next put-off recipient
-- is due; for one in flight under another attempt, until that attempt's lease must have run out. Of a cancelled mailing only
-- what is in flight matters.
-- $1 mailing, $2 first recipient, $3 last recipient
SELECT count(*) FILTER (WHERE status IS NULL) > 0 AS untried,
       CASE WHEN min(due_at) IS NOT NULL THEN greatest(0, extract(epoch FROM min(due_at) - now()) * 1000)::float8 END AS "dueInMs"
  FROM (
    SELECT d.status, CASE WHEN d.status = 'in_flight' THEN now() + interval '1 minute' ELSE d.next_attempt_at END AS due_at
      FROM mailing m
      JOIN mailing_recipient r ON r.mailing_id = m.id
      LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
     WHERE m.id = $1 AND r.mailing_id = $1 AND r.id BETWEEN $2 AND $3 AND r.status = 'queued'
       AND (d.status = 'in_flight' OR m.status <> 'cancelled' AND (d.status IS NULL OR d.status = 'deferred'))
  ) open
