-- What is still due to an address is suppressed before a sender takes it: who holds the batch is refused by the delivery's key.
-- $1 address, trimmed and in lower case
INSERT INTO delivery AS d (mailing_id, recipient_id, attempt_id, status, reason, settled_at)
SELECT r.mailing_id, r.id, nextval('id_block'), 'suppressed', 'blacklisted', now()
  FROM mailing_recipient r JOIN mailing m ON m.id = r.mailing_id AND m.status IN ('building', 'scheduled', 'sending', 'paused', 'failed')
 WHERE lower(r.email) = $1 AND r.status = 'queued'
ON CONFLICT (mailing_id, recipient_id) DO UPDATE
   SET attempt_id = excluded.attempt_id, status = 'suppressed', reason = 'blacklisted', settled_at = now(), next_attempt_at = NULL
 WHERE d.status = 'deferred'
