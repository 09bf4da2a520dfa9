-- Feedback reports: responses, too, and told there as well.
SELECT p.mailing_id AS "mailingId", p.recipient_id AS "mailingToUserId", p.client_id AS "mailingGroupId", r.email AS "userId",
       date_trunc('second', p.occurred_at::timestamp) AS created,
       r.wave_id AS "waveId", m.source_mailing_id AS "sourceMailingId", p.id AS "eventId", r.fields, m.recipient_list_id AS "listId",
       p.ticket AS major, p.id AS minor
  FROM response p
  JOIN mailing m ON m.id = p.mailing_id AND NOT m.test
  LEFT JOIN mailing_recipient r ON r.mailing_id = p.mailing_id AND r.id = p.recipient_id
 WHERE p.client_id = :client AND p.ticket > :after AND p.ticket <= :upTo AND p.kind = 'arf'
