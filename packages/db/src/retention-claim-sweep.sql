-- $1 now, $2 when it is due again. Of two that claim the same client the second one changes nothing and gets nothing.
WITH claimed AS (
  INSERT INTO file_sweep AS s (client_id, due_at)
  SELECT c.id, $2::timestamptz FROM client c LEFT JOIN file_sweep f ON f.client_id = c.id
   WHERE f.due_at IS NULL OR f.due_at <= $1::timestamptz ORDER BY f.due_at NULLS FIRST, c.id LIMIT 1
  ON CONFLICT (client_id) DO UPDATE SET due_at = excluded.due_at WHERE s.due_at <= $1
  RETURNING client_id
)
SELECT c.id, c.directory, c.sftp_account AS "sftpAccount", c.settings FROM claimed JOIN client c ON c.id = claimed.client_id
