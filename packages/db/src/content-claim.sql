-- A row with the fault 'fetching' is a claim: whoever made it is at it, or was lost when its lease is over.
-- $1 mailing, $2 hashes of URLs, $3 lease in ms. In the order of hashes, so that two that claim the same ones do not wait for
-- each other. A row that another made meanwhile is not seen here, and counts as another's.
WITH asked AS (
  SELECT DISTINCT unnest($2::bytea[]) AS url_sha256
), claimed AS (
  INSERT INTO fetched_content AS f (mailing_id, url_sha256, fault, message)
  SELECT $1, url_sha256, 'fetching', '' FROM asked
   WHERE NOT EXISTS (SELECT FROM fetched_content k WHERE k.mailing_id = $1 AND k.url_sha256 = asked.url_sha256
                        AND (k.fault IS NULL OR k.fault <> 'fetching'))
   ORDER BY url_sha256
  ON CONFLICT (mailing_id, url_sha256) DO UPDATE SET fetched_at = now()
    WHERE f.fault = 'fetching' AND f.fetched_at < now() - $3 * interval '1 ms'
  RETURNING url_sha256
)
SELECT a.url_sha256 AS hash, c.url_sha256 IS NOT NULL AS mine
  FROM asked a
  LEFT JOIN claimed c USING (url_sha256)
  LEFT JOIN fetched_content f ON f.mailing_id = $1 AND f.url_sha256 = a.url_sha256
 WHERE c.url_sha256 IS NOT NULL OR f.mailing_id IS NULL OR f.fault = 'fetching'
