-- Every row of an import by its line, whatever mailing it went to; resends are rows of their own and none of the file's.
-- $1 import, $2 status or NULL for all
SELECT line, status, reason FROM (
  SELECT r.line,
         CASE WHEN r.status <> 'queued' THEN r.status::text
              WHEN m.status = 'cancelled' AND (d.status IS NULL OR d.status = 'deferred') THEN 'cancelled'
              ELSE coalesce(d.status::text, 'queued') END AS status,
         CASE WHEN d.status IS NULL THEN r.reason ELSE d.reason END AS reason
    FROM mailing m
    JOIN mailing_recipient r ON r.mailing_id = m.id
    LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
   WHERE m.import_id = $1 AND m.resend_of IS NULL
) told
 WHERE $2::text IS NULL OR status = $2
 ORDER BY line
