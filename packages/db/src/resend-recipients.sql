-- Those whose latest response is a soft bounce, who may be mailed, and whom no resend of this mailing has tried again; not
-- those whose fields were recycled (up to that ID): their mails would have nothing in them.
-- Latest in the order of commits: ID blocks are handed out to sessions, so they are not in order.
-- $1 the mailing, $2 the new one, $3 its client
INSERT INTO mailing_recipient (mailing_id, id, line, wave_id, email, fields, status)
SELECT $2, nextval('id_block'), r.line, r.wave_id, r.email, r.fields, 'queued'
  FROM (
    SELECT DISTINCT ON (recipient_id) recipient_id, category
      FROM response WHERE mailing_id = $1 ORDER BY recipient_id, ticket DESC, id DESC
  ) latest
  JOIN mailing resent ON resent.id = $1
  JOIN mailing_recipient r ON r.mailing_id = $1 AND r.id = latest.recipient_id AND r.id > resent.recycled_id
  LEFT JOIN LATERAL suppression_of($3, lower(r.email)) s ON true
 WHERE latest.category IN ('temporary_bounce', 'bounce') AND s.reason IS NULL AND r.email IS NOT NULL
   AND NOT EXISTS (
     SELECT 1 FROM mailing again JOIN mailing_recipient tried ON tried.mailing_id = again.id
      WHERE again.resend_of = $1 AND again.id <> $2 AND tried.line = r.line)
 ORDER BY r.line
