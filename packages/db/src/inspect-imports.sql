-- $1 client or NULL for all, $2 import or NULL for all, $3 how many
SELECT i.id, i.client_id AS "clientId", c.name AS "clientName", c.directory AS "clientDirectory",
       c.sftp_account AS "sftpAccount", i.directory, i.file_name AS "fileName",
       i.size, i.status, i.accepted, i.filed, i.rows, i.blank_lines AS "blankLines", i.queued, i.suppressed, i.invalid, i.duplicate,
       i.faults, i.created_at AS "createdAt", i.changed_at AS "changedAt"
  FROM import i JOIN client c ON c.id = i.client_id
 WHERE ($1::bigint IS NULL OR i.client_id = $1) AND ($2::bigint IS NULL OR i.id = $2)
 ORDER BY i.id DESC LIMIT $3
