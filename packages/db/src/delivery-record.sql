-- Answers of mails that were sent, and the compare-and-set before DATA of those that come next, in one commit.
--
-- What was declared unknown meanwhile takes a late answer, but not one that says to try again: its batch may be done and its
-- mailing told as finished. It stays unknown, and people may have it sent again.
--
-- Inserting beats updating at take-off: mailing_recipient stays as the import wrote it, and the primary key of delivery refuses
-- the second of two holders whatever they believe of their leases.
--
-- $1 mailings, $2 recipients, $3 attempts, $4 statuses, $5 SMTP codes, $6 reasons, $7 milliseconds until the next try
-- $8 mailings, $9 batches, $10 attempts, $11 recipients, $12 addresses in lower case
WITH settled AS (
  UPDATE delivery d
     SET status = CASE WHEN d.status = 'unknown' AND a.status = 'deferred' THEN 'unknown' ELSE a.status END, smtp_code = a.smtp_code, reason = a.reason, settled_at = now(),
         next_attempt_at = CASE WHEN d.status = 'in_flight' THEN now() + a.retry_in_ms * interval '1 ms' END
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::delivery_status[], $5::smallint[], $6::text[], $7::float8[])
           AS a(mailing_id, recipient_id, attempt_id, status, smtp_code, reason, retry_in_ms)
   WHERE d.mailing_id = a.mailing_id AND d.recipient_id = a.recipient_id AND d.attempt_id = a.attempt_id
     AND d.status IN ('in_flight', 'unknown')
  RETURNING d.recipient_id
), taken AS (
  INSERT INTO delivery AS d (mailing_id, recipient_id, attempt_id, status, reason, settled_at)
  SELECT w.mailing_id, w.recipient_id, w.attempt_id,
         CASE WHEN s.reason IS NULL THEN 'in_flight' ELSE 'suppressed' END::delivery_status, s.reason,
         CASE WHEN s.reason IS NOT NULL THEN now() END
    FROM unnest($8::bigint[], $9::int[], $10::bigint[], $11::bigint[], $12::text[]) AS w(mailing_id, batch, attempt_id, recipient_id, address)
    JOIN mailing m ON m.id = w.mailing_id AND m.status = 'sending'
    JOIN send_batch b ON b.mailing_id = w.mailing_id AND b.ordinal = w.batch AND b.attempt_id = w.attempt_id AND b.status = 'claimed'
    LEFT JOIN LATERAL suppression_of(m.client_id, w.address) s ON true
  ON CONFLICT (mailing_id, recipient_id) DO UPDATE
     SET attempt_id = excluded.attempt_id, status = excluded.status, reason = excluded.reason, settled_at = excluded.settled_at,
         attempts = d.attempts + 1, started_at = now(), smtp_code = NULL, next_attempt_at = NULL
   WHERE d.status = 'deferred'
  RETURNING d.recipient_id, d.status
)
SELECT ARRAY(SELECT recipient_id FROM settled) AS settled,
       ARRAY(SELECT recipient_id FROM taken WHERE status = 'in_flight') AS "inFlight",
       ARRAY(SELECT recipient_id FROM taken WHERE status = 'suppressed') AS suppressed
