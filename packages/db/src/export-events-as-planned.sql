-- The run's events, those that were judged anew since it was planned as they looked then.
SELECT e.mailing_id, e.id, e.client_id, e.ticket, e.recipient_id, e.kind, e.link_ordinal, e.occurred_at,
       coalesce(x.browser, e.browser) AS browser, coalesce(x.platform, e.platform) AS platform, coalesce(x.device, e.device) AS device,
       coalesce(x.verdict, e.verdict) AS verdict
  FROM event e
  LEFT JOIN (
    SELECT DISTINCT ON (mailing_id, event_id) * FROM event_earlier
     WHERE client_id = :client AND before_ticket > :to ORDER BY mailing_id, event_id, before_ticket
  ) x ON x.mailing_id = e.mailing_id AND x.event_id = e.id
