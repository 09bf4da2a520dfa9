-- Erasing an address, and closing recipients whose outcome nobody knows.

-- Erased addresses that a client does not mail: HMAC-SHA256 under the configured key (SUPPRESSION_KEY), which never comes into
-- the database. Without it nobody can try addresses against a copy of this table.
CREATE TABLE suppression_hash (
  client_id   bigint NOT NULL REFERENCES client,
  hash        bytea NOT NULL,
  reason      suppression_reason NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (client_id, hash, reason)
);

-- RFC 2104 with SHA-256. The session holds the two padded keys (packages/db/src/session-url.ts). Loud without them: to go on
-- would be to mail who must not be mailed. plpgsql, so that the planner does not try it beforehand.
CREATE FUNCTION suppression_hash_of(of_address text) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
  inner_key constant bytea := decode(nullif(current_setting('postloop.suppression_inner', true), ''), 'hex');
  outer_key constant bytea := decode(nullif(current_setting('postloop.suppression_outer', true), ''), 'hex');
BEGIN
  IF inner_key IS NULL OR outer_key IS NULL THEN
    RAISE EXCEPTION 'SUPPRESSION_KEY is not set, and erased addresses are kept under it' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN sha256(outer_key || sha256(inner_key || convert_to(of_address, 'UTF8')));
END $$;

-- As before, and by hash where a client has any: the others need no key and pay nothing.
CREATE OR REPLACE FUNCTION suppression_of(of_client bigint, of_address text) RETURNS TABLE (reason suppression_reason) LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT a.reason FROM suppression a WHERE a.client_id = of_client AND a.address = of_address ORDER BY a.reason LIMIT 1),
    (SELECT 'blacklisted'::suppression_reason FROM suppression_pattern p WHERE p.client_id = of_client AND of_address LIKE p.like_pattern LIMIT 1),
    CASE WHEN EXISTS (SELECT 1 FROM suppression_hash any_hash WHERE any_hash.client_id = of_client) THEN
      (SELECT h.reason FROM suppression_hash h WHERE h.client_id = of_client AND h.hash = suppression_hash_of(of_address) ORDER BY h.reason LIMIT 1)
    END
  ) LIMIT 1
$$;

-- Recipients whose outcome is unknown and that a person gave up looking into. Their delivery stays as it is.
CREATE TABLE unknown_closed (
  mailing_id    bigint NOT NULL REFERENCES mailing ON DELETE CASCADE,
  recipient_id  bigint NOT NULL,
  note          text NOT NULL,
  closed_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (mailing_id, recipient_id)
);
