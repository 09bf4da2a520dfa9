-- $1 mailings, $2 recipients
INSERT INTO suppression (client_id, address, reason, mailing_id, recipient_id)
SELECT m.client_id, lower(r.email), 'unsubscribed', r.mailing_id, r.id
  FROM unnest($1::bigint[], $2::bigint[]) AS u(mailing_id, recipient_id)
  JOIN mailing m ON m.id = u.mailing_id
  JOIN mailing_recipient r ON r.mailing_id = u.mailing_id AND r.id = u.recipient_id
 WHERE r.email IS NOT NULL
 -- In the order of addresses, as others that write many at once, so that none waits for each other.
 ORDER BY 1, 2
ON CONFLICT DO NOTHING
