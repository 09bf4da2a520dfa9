-- What was fetched from URLs that only these recipients have, whatever else they share with others.
-- $1 mailings, $2 recipients
WITH named AS (
  SELECT DISTINCT r.mailing_id, f.ordinal, r.fields[f.ordinal] AS url
    FROM mailing_recipient r
    JOIN mailing_content c ON c.mailing_id = r.mailing_id
   CROSS JOIN LATERAL jsonb_array_elements(c.program->'needs'->'content') AS n(need)
   CROSS JOIN LATERAL (SELECT (n.need->>'field')::int + 1) AS f(ordinal)
   WHERE (r.mailing_id, r.id) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[])) AND r.fields[f.ordinal] <> ''
)
DELETE FROM fetched_content c USING named n
 WHERE c.mailing_id = n.mailing_id AND c.url_sha256 = sha256(convert_to(btrim(n.url, E' \t\r\n'), 'UTF8'))
   AND NOT EXISTS (
     SELECT FROM mailing_recipient o
      WHERE o.mailing_id = n.mailing_id AND n.url = ANY(o.fields)
        AND (o.mailing_id, o.id) NOT IN (SELECT * FROM unnest($1::bigint[], $2::bigint[])))
RETURNING c.sha256
