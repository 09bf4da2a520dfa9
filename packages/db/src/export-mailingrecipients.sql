-- The sending log of the run's mailings: suppressed recipients too, invalid and duplicate rows not. In flight is what a
-- cancelled mailing had handed over: sent or not, as with unknown. What may have changed since is read from the pins.
SELECT r.id, r.mailing_id AS "mailingId", m.client_id AS "mailingGroupId", r.email AS "userId",
       date_trunc('second', coalesce(s.started_at, m.started_at)::timestamp) AS created,
       CASE WHEN s.status = 'sent' THEN 'sent' WHEN s.status IN ('in_flight', 'unknown') THEN 'sending' ELSE 'could_not_be_sent' END AS "sendingStatus",
       CASE WHEN r.status = 'suppressed' THEN r.reason
            WHEN s.status = 'suppressed' THEN d.reason
            WHEN s.status IN ('in_flight', 'unknown') THEN 'unknown'
            WHEN s.status = 'sent' THEN CASE WHEN p.category IN ('temporary_bounce', 'bounce', 'fatal_bounce') THEN 'bounced' ELSE 'delivered' END
            ELSE 'failed' END AS "deliveryStatus",
       p.category AS "response.category",
       r.wave_id AS "waveId", m.source_mailing_id AS "sourceMailingId", r.fields, m.recipient_list_id AS "listId",
       r.mailing_id AS major, r.id AS minor
  FROM mailing m
  JOIN mailing_recipient r ON r.mailing_id = m.id
  LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
  LEFT JOIN export_undecided u ON u.export_id = :export AND u.mailing_id = r.mailing_id AND u.recipient_id = r.id
 CROSS JOIN LATERAL (
    SELECT CASE WHEN u.export_id IS NULL THEN d.status ELSE u.status END AS status,
           CASE WHEN u.export_id IS NULL THEN d.started_at ELSE u.started_at END AS started_at
  ) s
  LEFT JOIN (
    SELECT mailing_id, recipient_id, max(category) AS category FROM response WHERE client_id = :client AND ticket <= :to GROUP BY 1, 2
  ) p ON p.mailing_id = r.mailing_id AND p.recipient_id = r.id
 WHERE m.client_id = :client AND m.finished_ticket > :from AND m.finished_ticket <= :to AND NOT m.test
   AND r.status IN ('queued', 'suppressed')
