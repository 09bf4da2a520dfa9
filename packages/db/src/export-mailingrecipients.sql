-- The sending log of the run's mailings: suppressed recipients too, invalid and duplicate rows not.
SELECT r.id, r.mailing_id AS "mailingId", m.client_id AS "mailingGroupId", r.email AS "userId",
       to_char(coalesce(d.started_at, m.started_at) AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI:SS') AS created,
       CASE WHEN d.status = 'sent' THEN 'sent' WHEN d.status = 'unknown' THEN 'sending' ELSE 'could_not_be_sent' END AS "sendingStatus",
       CASE WHEN r.status = 'suppressed' THEN r.reason
            WHEN d.status = 'suppressed' THEN d.reason
            WHEN d.status = 'unknown' THEN 'unknown'
            WHEN d.status = 'sent' THEN CASE WHEN p.category IN ('temporary_bounce', 'bounce', 'fatal_bounce') THEN 'bounced' ELSE 'delivered' END
            ELSE 'failed' END AS "deliveryStatus",
       p.category AS "response.category"
  FROM mailing m
  JOIN mailing_recipient r ON r.mailing_id = m.id
  LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
  LEFT JOIN (
    SELECT mailing_id, recipient_id, max(category) AS category FROM response WHERE client_id = :client AND ticket <= :to GROUP BY 1, 2
  ) p ON p.mailing_id = r.mailing_id AND p.recipient_id = r.id
 WHERE m.client_id = :client AND m.finished_ticket > :from AND m.finished_ticket <= :to AND NOT m.test
   AND r.status IN ('queued', 'suppressed')
 ORDER BY r.mailing_id, r.id
