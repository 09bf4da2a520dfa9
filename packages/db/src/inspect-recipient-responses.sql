-- $1 mailings, $2 recipients
SELECT p.mailing_id AS "mailingId", p.recipient_id AS "recipientId", p.id, p.category, p.status_code AS "statusCode", p.diagnostic,
       p.rule, p.occurred_at AS "occurredAt"
  FROM unnest($1::bigint[], $2::bigint[]) AS w(mailing_id, recipient_id)
  JOIN response p ON p.mailing_id = w.mailing_id AND p.recipient_id = w.recipient_id
 ORDER BY p.occurred_at, p.id
