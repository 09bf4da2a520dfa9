-- Deliveries of the run's mailings without a final answer: answers that come late still settle them, and a sender may have asked
-- for its next mails when the mailing was cancelled. What is final by now stays so and is read where it stands.
-- $1 export
WITH told AS (
  SELECT e.id AS export_id, m.id AS mailing_id, m.status
    FROM export e JOIN mailing m ON m.client_id = e.client_id AND m.finished_ticket > e.from_ticket AND m.finished_ticket <= e.to_ticket
   WHERE e.id = $1 AND NOT m.test
)
INSERT INTO export_undecided (export_id, mailing_id, recipient_id, status, started_at)
SELECT t.export_id, d.mailing_id, d.recipient_id, d.status, d.started_at
  FROM told t JOIN delivery d ON d.mailing_id = t.mailing_id AND d.status IN ('in_flight', 'deferred', 'unknown')
 UNION ALL
SELECT t.export_id, r.mailing_id, r.id, NULL, NULL
  FROM told t
  JOIN send_batch b ON b.mailing_id = t.mailing_id AND b.status = 'claimed'
  JOIN mailing_recipient r ON r.mailing_id = b.mailing_id AND r.id BETWEEN b.first_id AND b.last_id AND r.status = 'queued'
 WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = r.mailing_id AND d.recipient_id = r.id)
