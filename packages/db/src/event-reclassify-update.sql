-- The ticket of the event stays, so that it is not exported again; a trigger keeps what exports said of it (event_earlier).
-- $1 mailings, $2 events, $3 browsers, $4 platforms, $5 devices, $6 verdicts, $7 rules
UPDATE event e
   SET browser = n.browser, platform = n.platform, device = n.device, verdict = n.verdict, verdict_rule = n.verdict_rule
  FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::event_verdict[], $7::text[])
         AS n(mailing_id, id, browser, platform, device, verdict, verdict_rule)
 WHERE e.mailing_id = n.mailing_id AND e.id = n.id
