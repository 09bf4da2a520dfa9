INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at,
                   browser, platform, device, verdict, verdict_rule, user_agent)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::event_kind[], $7::int[], $8::timestamptz[],
                     $9::text[], $10::text[], $11::text[], $12::event_verdict[], $13::text[], $14::text[])
ON CONFLICT (mailing_id, id) DO NOTHING
