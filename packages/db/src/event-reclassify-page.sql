-- The next events by primary key, which every partition is read along.
-- $1 and $2 mailing and event to go on after, $3 client or NULL, $4 instant or NULL, $5 limit
SELECT mailing_id AS "mailingId", id, kind, user_agent AS "userAgent", browser, platform, device, verdict, verdict_rule AS "verdictRule"
  FROM event
 WHERE mailing_id >= $1 AND (mailing_id, id) > ($1, $2::uuid)
   AND ($3::bigint IS NULL OR client_id = $3)
   AND ($4::timestamptz IS NULL OR occurred_at >= $4)
 ORDER BY mailing_id, id LIMIT $5
