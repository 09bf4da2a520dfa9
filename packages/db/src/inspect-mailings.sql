-- $1 client or NULL for all, $2 mailing or NULL for all, $3 import or NULL for all, $4 how many
SELECT m.id, m.client_id AS "clientId", c.name AS "clientName", m.import_id AS "importId", i.file_name AS "fileName",
       m.source_mailing_id AS "sourceMailingId", m.campaign_id AS "campaignId", m.recipient_list_id AS "recipientListId",
       m.name, m.test, m.status, m.recipients,
       (SELECT coalesce(sum(b.recipients), 0)::bigint FROM send_batch b WHERE b.mailing_id = m.id AND b.status = 'done') AS done,
       m.created_at AS "createdAt", m.send_at AS "sendAt", m.started_at AS "startedAt", m.finished_at AS "finishedAt"
  FROM mailing m JOIN client c ON c.id = m.client_id JOIN import i ON i.id = m.import_id
 WHERE ($1::bigint IS NULL OR m.client_id = $1) AND ($2::bigint IS NULL OR m.id = $2) AND ($3::bigint IS NULL OR m.import_id = $3)
 ORDER BY m.id DESC LIMIT $4
