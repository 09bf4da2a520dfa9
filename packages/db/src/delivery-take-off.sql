-- The compare-and-set before DATA. Inserting beats updating here: mailing_recipient stays as the import wrote it, and the
-- primary key of delivery refuses the second of two holders whatever they believe of their leases.
-- $1 mailings, $2 batches, $3 attempts, $4 recipients, $5 addresses in lower case
INSERT INTO delivery AS d (mailing_id, recipient_id, attempt_id, status, reason, settled_at)
SELECT w.mailing_id, w.recipient_id, w.attempt_id,
       CASE WHEN s.reason IS NULL THEN 'in_flight' ELSE 'suppressed' END::delivery_status, s.reason,
       CASE WHEN s.reason IS NOT NULL THEN now() END
  FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::text[]) AS w(mailing_id, batch, attempt_id, recipient_id, address)
  JOIN mailing m ON m.id = w.mailing_id AND m.status = 'sending'
  JOIN send_batch b ON b.mailing_id = w.mailing_id AND b.ordinal = w.batch AND b.attempt_id = w.attempt_id AND b.status = 'claimed'
  LEFT JOIN LATERAL suppression_of(m.client_id, w.address) s ON true
ON CONFLICT (mailing_id, recipient_id) DO UPDATE
   SET attempt_id = excluded.attempt_id, status = excluded.status, reason = excluded.reason, settled_at = excluded.settled_at,
       attempts = d.attempts + 1, started_at = now(), smtp_code = NULL, next_attempt_at = NULL
 WHERE d.status = 'deferred'
RETURNING d.recipient_id AS "recipientId", d.status
