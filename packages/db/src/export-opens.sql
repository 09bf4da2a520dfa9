SELECT l.id AS "linkId", e.mailing_id AS "mailingId", e.recipient_id AS "mailingToUserId", e.client_id AS "mailingGroupId", r.email AS "userId",
       date_trunc('second', e.occurred_at::timestamp) AS created,
       e.browser AS "open.browser", e.platform AS "open.platform", e.device AS "open.device",
       r.wave_id AS "waveId", m.source_mailing_id AS "sourceMailingId", e.verdict, e.id AS "eventId", r.fields, m.recipient_list_id AS "listId",
       e.ticket AS major, e.id AS minor
  FROM :events e
  JOIN mailing m ON m.id = e.mailing_id AND NOT m.test AND (:withoutCampaign OR m.campaign_id IS NOT NULL)
  LEFT JOIN link l ON l.mailing_id = e.mailing_id AND l.ordinal = e.link_ordinal
  LEFT JOIN mailing_recipient r ON r.mailing_id = e.mailing_id AND r.id = e.recipient_id
 WHERE e.client_id = :client AND e.ticket > :after AND e.ticket <= :upTo AND e.kind = 'open'
