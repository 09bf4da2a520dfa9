-- One ticket per client of these mailings ($1), taken in the order of clients so that two batches never wait for each other.
WITH mailings AS (
  SELECT id, client_id FROM mailing WHERE id = ANY($1::bigint[])
), tickets AS MATERIALIZED (
  SELECT client_id, take_ticket(client_id) AS ticket FROM (SELECT DISTINCT client_id FROM mailings ORDER BY client_id) c
)
SELECT m.id AS "mailingId", m.client_id AS "clientId", t.ticket FROM mailings m JOIN tickets t USING (client_id)
