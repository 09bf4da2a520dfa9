-- Links that are the same for everyone, the pixel among them. Personalised ones follow, a row per recipient.
SELECT l.id, l.mailing_id AS "mailingId", NULL::text AS "mailingToUserId", m.client_id AS "mailingGroupId", l.name, l.url,
       m.source_mailing_id AS "sourceMailingId", l.mailing_id AS major, l.ordinal AS minor
  FROM mailing m JOIN link l ON l.mailing_id = m.id
 WHERE m.client_id = :client AND m.finished_ticket > :from AND m.finished_ticket <= :to AND NOT m.test
   AND l.purpose IN ('pixel', 'click') AND NOT l.personalised
