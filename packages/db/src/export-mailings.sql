SELECT m.id, m.campaign_id AS "compoundMasterId", m.client_id AS "mailingGroupId", m.recipient_list_id AS "mailing.recipientLists",
       to_char(m.started_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI:SS') AS started,
       to_char(m.finished_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI:SS') AS finished
  FROM mailing m
 WHERE m.client_id = :client AND m.finished_ticket > :from AND m.finished_ticket <= :to AND NOT m.test
 ORDER BY m.finished_ticket, m.id
