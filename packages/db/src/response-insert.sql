-- Responses, what they add to the bounce counters, and whom that suppresses; a complaint also unsubscribes (spec 7). The
-- client's ticket is held to the commit, so counters and suppressions of a client are written by one transaction at a time.
-- $1 mailings, $2 recipients, $3 categories, $4 enhanced status codes, $5 diagnostics, $6 rules, $7 kinds, $8 reasons,
-- $9 inbound messages, $10 times, $11 IDs of the unsubscribe events of complaints, NULL for the others
WITH said AS (
  SELECT r.*, m.client_id, lower(mr.email) AS address
    FROM unnest($1::bigint[], $2::bigint[], $3::response_category[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::bigint[], $10::timestamptz[], $11::uuid[])
           AS r(mailing_id, recipient_id, category, status_code, diagnostic, rule, kind, reason, message_id, occurred_at, unsubscribe_id)
    JOIN mailing m ON m.id = r.mailing_id
    LEFT JOIN mailing_recipient mr ON mr.mailing_id = r.mailing_id AND mr.id = r.recipient_id
), tickets AS MATERIALIZED (
  -- In the order of clients, so that two batches never wait for each other.
  SELECT client_id, take_ticket(client_id) AS ticket FROM (SELECT DISTINCT client_id FROM said ORDER BY client_id) c
), inserted AS (
  INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, status_code, diagnostic, rule, kind, reason, message_id, occurred_at)
  SELECT s.mailing_id, s.client_id, t.ticket, s.recipient_id, s.category, s.status_code, s.diagnostic, s.rule, s.kind, s.reason,
         s.message_id, coalesce(s.occurred_at, now())
    FROM said s JOIN tickets t USING (client_id)
  ON CONFLICT (mailing_id, recipient_id, message_id) WHERE message_id IS NOT NULL DO NOTHING
  RETURNING mailing_id, recipient_id, category, message_id, ticket, occurred_at
), fresh AS (
  SELECT s.client_id, s.address, s.unsubscribe_id, i.mailing_id, i.recipient_id, i.category, i.ticket, i.occurred_at
    FROM inserted i
    JOIN said s ON s.mailing_id = i.mailing_id AND s.recipient_id = i.recipient_id AND s.message_id IS NOT DISTINCT FROM i.message_id
   WHERE s.address IS NOT NULL
), counted AS (
  INSERT INTO bounce_count AS b (client_id, address, hard, soft)
  SELECT client_id, address, count(*) FILTER (WHERE category = 'fatal_bounce'),
         count(*) FILTER (WHERE category IN ('bounce', 'temporary_bounce'))
    FROM fresh WHERE category IN ('fatal_bounce', 'bounce', 'temporary_bounce')
   GROUP BY client_id, address ORDER BY client_id, address
  ON CONFLICT (client_id, address) DO UPDATE SET hard = b.hard + excluded.hard, soft = b.soft + excluded.soft
  RETURNING client_id, address, hard, soft
), suppressed AS (
  INSERT INTO suppression (client_id, address, reason, mailing_id, recipient_id)
  SELECT n.client_id, n.address, 'too_many_bounces'::suppression_reason, n.mailing_id, n.recipient_id
    FROM counted k JOIN client c ON c.id = k.client_id JOIN fresh n ON n.client_id = k.client_id AND n.address = k.address
   WHERE k.hard >= c.hard_bounce_limit OR k.soft >= c.soft_bounce_limit
   UNION ALL
  SELECT client_id, address, 'complaint', mailing_id, recipient_id FROM fresh WHERE unsubscribe_id IS NOT NULL
   -- In the order of addresses, as others that write many at once.
   ORDER BY 1, 2
  ON CONFLICT DO NOTHING
), unsubscribed AS (
  -- By no link of the mail. Who has left on another way before is not told twice.
  INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at,
                     browser, platform, device, verdict, verdict_rule)
  SELECT mailing_id, unsubscribe_id, client_id, ticket, recipient_id, 'unsubscribe', 0, occurred_at, '', '', '', 'unknown', 'complaint'
    FROM fresh WHERE unsubscribe_id IS NOT NULL
  ON CONFLICT (mailing_id, id) DO NOTHING
)
SELECT mailing_id AS "mailingId", recipient_id AS "recipientId", category FROM inserted
