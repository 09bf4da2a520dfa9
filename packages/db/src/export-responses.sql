SELECT p.mailing_id AS "mailingId", p.recipient_id AS "mailingToUserId", p.client_id AS "mailingGroupId", r.email AS "userId",
       to_char(p.occurred_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI:SS') AS created, p.category
  FROM response p
  JOIN mailing m ON m.id = p.mailing_id AND NOT m.test
  LEFT JOIN mailing_recipient r ON r.mailing_id = p.mailing_id AND r.id = p.recipient_id
 WHERE p.client_id = :client AND p.ticket > :from AND p.ticket <= :to
 ORDER BY p.ticket, p.id
