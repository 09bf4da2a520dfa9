-- The identities of some recipients of a mailing, and how their mails went.
-- $1 mailing, $2 how many
WITH gone AS (
  DELETE FROM mailing_recipient WHERE mailing_id = $1
     AND id IN (SELECT id FROM mailing_recipient WHERE mailing_id = $1 ORDER BY id LIMIT $2) RETURNING id
), deliveries AS (
  DELETE FROM delivery d USING gone WHERE d.mailing_id = $1 AND d.recipient_id = gone.id
)
SELECT count(*)::int AS recipients FROM gone
