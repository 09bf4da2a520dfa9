-- $1 now, $2 the lease in milliseconds. Of several schedulers that ask at once each gets another entry.
UPDATE journal SET mail_due_at = $1::timestamptz + $2 * interval '1 ms', mail_attempts = mail_attempts + 1
 WHERE id = (SELECT id FROM journal
              WHERE mailed_at IS NULL AND (mail_due_at IS NULL OR mail_due_at <= $1)
              ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
