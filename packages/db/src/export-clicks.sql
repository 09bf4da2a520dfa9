SELECT CASE WHEN l.personalised THEN e.recipient_id + e.link_ordinal ELSE l.id END AS "linkId",
       e.mailing_id AS "mailingId", e.recipient_id AS "mailingToUserId", e.client_id AS "mailingGroupId", r.email AS "userId",
       to_char(e.occurred_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI:SS') AS created,
       e.browser AS "click.browser", e.platform AS "click.platform", e.device AS "click.device"
  FROM event e
  JOIN mailing m ON m.id = e.mailing_id AND NOT m.test
  LEFT JOIN link l ON l.mailing_id = e.mailing_id AND l.ordinal = e.link_ordinal
  LEFT JOIN mailing_recipient r ON r.mailing_id = e.mailing_id AND r.id = e.recipient_id
 WHERE e.client_id = :client AND e.ticket > :from AND e.ticket <= :to AND e.kind = 'click'
 ORDER BY e.ticket, e.id
