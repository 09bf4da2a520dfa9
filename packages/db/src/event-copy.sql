COPY event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at,
            browser, platform, device, verdict, verdict_rule, user_agent)
FROM STDIN
