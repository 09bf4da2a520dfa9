-- Every input row of an address, by the index mailing_recipient_address.
-- $1 address, trimmed and in lower case
SELECT r.mailing_id AS "mailingId", r.id, r.line, r.wave_id AS "waveId", r.email,
       CASE WHEN r.status <> 'queued' THEN r.status::text
            WHEN m.status = 'cancelled' AND (d.status IS NULL OR d.status = 'deferred') THEN 'cancelled'
            ELSE coalesce(d.status::text, 'queued') END AS status,
       CASE WHEN d.status IS NULL THEN r.reason ELSE d.reason END AS reason,
       d.attempts, d.smtp_code AS "smtpCode", d.started_at AS "sentAt", d.settled_at AS "settledAt", d.next_attempt_at AS "nextAttemptAt",
       m.client_id AS "clientId", c.name AS "clientName", m.name AS "mailingName", m.status AS "mailingStatus", m.test,
       m.import_id AS "importId", i.file_name AS "fileName"
  FROM mailing_recipient r
  JOIN mailing m ON m.id = r.mailing_id
  JOIN client c ON c.id = m.client_id
  JOIN import i ON i.id = m.import_id
  LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
 WHERE lower(r.email) = $1
 ORDER BY r.mailing_id, r.line
