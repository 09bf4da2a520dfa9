-- $1 mailing, $2 ordinals of fields, $3 so many URLs, $4 so many hosts. The host only groups them: who fetches reads the URL anew.
WITH urls AS (
  SELECT btrim(r.fields[f.ordinal], E' \t\r\n') AS url, min(r.line) AS line, min(f.ordinal) AS "column"
    FROM mailing_recipient r CROSS JOIN unnest($2::int[]) AS f(ordinal)
   WHERE r.mailing_id = $1 AND r.status = 'queued' AND btrim(r.fields[f.ordinal], E' \t\r\n') <> ''
   GROUP BY 1
), placed AS (
  SELECT *, row_number() OVER (ORDER BY line, "column") AS place, lower(substring(url FROM '^[^/]*//([^/?#\\]*)')) AS host FROM urls
), grouped AS (
  SELECT *, row_number() OVER (PARTITION BY host ORDER BY place) AS "placeInHost" FROM placed
)
SELECT url, line, "column", place, "placeInHost" FROM grouped
 WHERE place <= $3 OR "placeInHost" = 1
 ORDER BY place LIMIT $3::int + $4::int
