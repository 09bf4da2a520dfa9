-- Finished mailings; those that have only started by then, too, for clients that want to know.
SELECT m.id, m.campaign_id AS "compoundMasterId", m.client_id AS "mailingGroupId", m.recipient_list_id AS "mailing.recipientLists",
       date_trunc('second', m.started_at::timestamp) AS started,
       CASE WHEN m.finished_ticket <= :to THEN date_trunc('second', m.finished_at::timestamp) END AS finished,
       m.source_mailing_id AS "sourceMailingId",
       CASE WHEN m.finished_ticket <= :to THEN m.finished_ticket ELSE m.started_ticket END AS major, m.id AS minor
  FROM mailing m
 WHERE m.client_id = :client AND NOT m.test
   AND (m.finished_ticket > :from AND m.finished_ticket <= :to
     OR :whenStarted AND m.started_ticket > :from AND m.started_ticket <= :to)
