SELECT l.id AS "linkId", e.mailing_id AS "mailingId", e.recipient_id AS "mailingToUserId", e.client_id AS "mailingGroupId", r.email AS "userId",
       to_char(e.occurred_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI:SS') AS created,
       e.browser AS "open.browser", e.platform AS "open.platform", e.device AS "open.device"
  FROM event e
  JOIN mailing m ON m.id = e.mailing_id AND NOT m.test
  LEFT JOIN link l ON l.mailing_id = e.mailing_id AND l.ordinal = e.link_ordinal
  LEFT JOIN mailing_recipient r ON r.mailing_id = e.mailing_id AND r.id = e.recipient_id
 WHERE e.client_id = :client AND e.ticket > :from AND e.ticket <= :to AND e.kind = 'open'
 ORDER BY e.ticket, e.id
