-- $1 mailings, $2 recipients
SELECT e.mailing_id AS "mailingId", e.recipient_id AS "recipientId", e.id, e.kind, l.name AS "linkName", e.occurred_at AS "occurredAt",
       e.browser, e.platform, e.device, e.verdict, e.verdict_rule AS "verdictRule"
  FROM unnest($1::bigint[], $2::bigint[]) AS w(mailing_id, recipient_id)
  JOIN event e ON e.mailing_id = w.mailing_id AND e.recipient_id = w.recipient_id
  LEFT JOIN link l ON l.mailing_id = e.mailing_id AND l.ordinal = e.link_ordinal
 ORDER BY e.occurred_at, e.id
