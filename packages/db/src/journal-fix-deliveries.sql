-- $1 the entry. Of two that count at the same time the first one's figures stay.
WITH counted AS (
  SELECT coalesce(jsonb_object_agg(status, recipients), '{}') AS deliveries
    FROM (SELECT d.status, count(*) AS recipients
            FROM journal j JOIN delivery d ON d.mailing_id = j.mailing_id WHERE j.id = $1 GROUP BY d.status) by_status
)
UPDATE journal SET facts = jsonb_build_object('deliveries', counted.deliveries) || facts
  FROM counted WHERE id = $1
RETURNING facts
