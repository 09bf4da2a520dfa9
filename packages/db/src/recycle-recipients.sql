-- Empties the fields of the next recipients of a mailing but for those at the places $4: e-mail and IDs.
-- $1 mailing, $2 recipient to go on after, $3 how many, $4 ordinals
WITH batch AS (
  SELECT id FROM mailing_recipient WHERE mailing_id = $1 AND id > $2 ORDER BY id LIMIT $3
), emptied AS (
  UPDATE mailing_recipient r
     SET fields = ARRAY(SELECT CASE WHEN f.ordinal = ANY($4::int[]) THEN f.value END
                          FROM unnest(r.fields) WITH ORDINALITY AS f(value, ordinal) ORDER BY f.ordinal)
    FROM batch b WHERE r.mailing_id = $1 AND r.id = b.id
)
SELECT max(id) AS "lastId", count(*)::int AS recipients FROM batch
