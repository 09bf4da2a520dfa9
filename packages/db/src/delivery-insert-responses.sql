-- $1 mailings, $2 recipients, $3 categories, $4 enhanced status codes, $5 diagnostics
WITH refused AS (
  SELECT r.*, m.client_id
    FROM unnest($1::bigint[], $2::bigint[], $3::response_category[], $4::text[], $5::text[])
           AS r(mailing_id, recipient_id, category, status_code, diagnostic)
    JOIN mailing m ON m.id = r.mailing_id
), tickets AS MATERIALIZED (
  -- In the order of clients, so that two batches never wait for each other.
  SELECT client_id, take_ticket(client_id) AS ticket FROM (SELECT DISTINCT client_id FROM refused ORDER BY client_id) c
)
INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, status_code, diagnostic, rule, occurred_at)
SELECT r.mailing_id, r.client_id, t.ticket, r.recipient_id, r.category, r.status_code, r.diagnostic, 'smtp_answer', now()
  FROM refused r JOIN tickets t USING (client_id)
