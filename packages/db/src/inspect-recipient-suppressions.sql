-- Entries of the clients' lists that an address fits, the address itself and patterns (few per client, so all are tried).
-- $1 address, trimmed and in lower case
SELECT s.client_id AS "clientId", c.name AS "clientName", s.entry, s.reason, s.mailing_id AS "mailingId", s.created_at AS "createdAt"
  FROM (SELECT client_id, address AS entry, reason, mailing_id, created_at FROM suppression WHERE address = $1
        UNION ALL
        SELECT client_id, pattern, 'blacklisted', NULL, created_at FROM suppression_pattern WHERE $1 LIKE like_pattern) s
  JOIN client c ON c.id = s.client_id
 ORDER BY s.created_at, s.client_id, s.entry, s.reason
