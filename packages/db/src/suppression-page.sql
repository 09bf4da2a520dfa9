-- Each half takes its page by its primary key, so that a list of millions is read through once.
-- $1 client, $2 and $3 entry and reason to go on after, $4 reason or NULL, $5 limit
SELECT * FROM (
  (SELECT address AS entry, reason, mailing_id AS "mailingId", recipient_id AS "recipientId", created_at AS "createdAt"
     FROM suppression
    WHERE client_id = $1 AND (address, reason) > ($2, $3::suppression_reason) AND ($4::suppression_reason IS NULL OR reason = $4)
    ORDER BY address, reason LIMIT $5)
  UNION ALL
  (SELECT pattern, 'blacklisted', NULL, NULL, created_at
     FROM suppression_pattern
    WHERE client_id = $1 AND pattern > $2 AND ($4::suppression_reason IS NULL OR $4 = 'blacklisted')
    ORDER BY pattern LIMIT $5)
) both_halves ORDER BY entry, reason LIMIT $5
