SELECT l.id AS "linkId", e.mailing_id AS "mailingId", e.recipient_id AS "mailingToUserId", e.client_id AS "mailingGroupId", r.email AS "userId",
       date_trunc('second', e.occurred_at AT TIME ZONE :zone) AS created,
       coalesce(x.browser, e.browser) AS "open.browser", coalesce(x.platform, e.platform) AS "open.platform", coalesce(x.device, e.device) AS "open.device",
       r.wave_id AS "waveId", m.source_mailing_id AS "sourceMailingId", coalesce(x.verdict, e.verdict) AS verdict, e.id AS "eventId", r.fields, m.recipient_list_id AS "listId",
       e.ticket AS major, e.id AS minor
  FROM event e
  JOIN mailing m ON m.id = e.mailing_id AND NOT m.test AND (:withoutCampaign OR m.campaign_id IS NOT NULL)
  LEFT JOIN link l ON l.mailing_id = e.mailing_id AND l.ordinal = e.link_ordinal
  LEFT JOIN mailing_recipient r ON r.mailing_id = e.mailing_id AND r.id = e.recipient_id
  LEFT JOIN (
    -- How events that were judged anew since the run was planned looked then.
    SELECT DISTINCT ON (mailing_id, event_id) * FROM event_earlier
     WHERE client_id = :client AND before_ticket > :to ORDER BY mailing_id, event_id, before_ticket
  ) x ON :judgedAnew AND x.mailing_id = e.mailing_id AND x.event_id = e.id
 WHERE e.client_id = :client AND e.ticket > :from AND e.ticket <= :to AND e.kind = 'open'
