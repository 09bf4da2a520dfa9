-- Which run's files hold a row about the recipient: the run whose tickets enclose that of the mailing, event or response.
-- $1 mailings, $2 recipients
WITH told AS (
  SELECT m.client_id, r.mailing_id, r.id AS recipient_id, 'mailingrecipients' AS kind, m.finished_ticket AS ticket
    FROM unnest($1::bigint[], $2::bigint[]) AS w(mailing_id, recipient_id)
    JOIN mailing m ON m.id = w.mailing_id AND NOT m.test
    JOIN mailing_recipient r ON r.mailing_id = w.mailing_id AND r.id = w.recipient_id AND r.status IN ('queued', 'suppressed')
  UNION ALL
  SELECT e.client_id, e.mailing_id, e.recipient_id, e.kind::text || 's', e.ticket
    FROM unnest($1::bigint[], $2::bigint[]) AS w(mailing_id, recipient_id)
    JOIN mailing m ON m.id = w.mailing_id AND NOT m.test
    JOIN event e ON e.mailing_id = w.mailing_id AND e.recipient_id = w.recipient_id
  UNION ALL
  SELECT p.client_id, p.mailing_id, p.recipient_id, 'responses', p.ticket
    FROM unnest($1::bigint[], $2::bigint[]) AS w(mailing_id, recipient_id)
    JOIN mailing m ON m.id = w.mailing_id AND NOT m.test
    JOIN response p ON p.mailing_id = w.mailing_id AND p.recipient_id = w.recipient_id
)
SELECT t.mailing_id AS "mailingId", t.recipient_id AS "recipientId", t.kind, count(*) AS rows, e.id AS "exportId", e.status,
       to_char(e.day, 'YYYYMMDD') AS day, e.run_of_day AS "runOfDay",
       (SELECT f ->> 'name' FROM jsonb_array_elements(e.files) f WHERE f ->> 'kind' = t.kind) AS "fileName"
  FROM told t JOIN export e ON e.client_id = t.client_id AND t.ticket > e.from_ticket AND t.ticket <= e.to_ticket
 GROUP BY t.mailing_id, t.recipient_id, t.kind, e.id
 ORDER BY e.run, t.kind
