-- $1 mailing
SELECT c.id AS "clientId", c.transport AS name, c.settings
  FROM mailing m JOIN client c ON c.id = m.client_id
 WHERE m.id = $1
