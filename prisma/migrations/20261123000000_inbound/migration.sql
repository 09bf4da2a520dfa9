-- What comes back as mail, and what follows from it: responses, bounce counters, suppression, resending.

CREATE TYPE inbound_source AS ENUM ('smtp', 'imap');
-- no_response: it concerns a recipient and says nothing about the mail's end (late, delivered).
CREATE TYPE inbound_status AS ENUM ('received', 'recorded', 'no_response', 'unassigned');

-- Stored before the sender of the message is told that it was taken over; looked at afterwards.
CREATE TABLE inbound_message (
  id             bigint PRIMARY KEY DEFAULT nextval('id_block'),
  -- Of the message without its envelope: what is taken over twice is one row.
  sha256         bytea NOT NULL UNIQUE,
  source         inbound_source NOT NULL,
  -- NULL when its time is over.
  raw            bytea,
  -- '' for the null sender, and where no envelope is known (IMAP).
  envelope_from  text NOT NULL,
  envelope_to    text[] NOT NULL,
  received_at    timestamptz NOT NULL,
  status         inbound_status NOT NULL DEFAULT 'received',
  -- Why nothing was recorded, or what was not looked at.
  reason         text,
  -- Counted before each look: a message that takes the process down is not looked at for ever.
  attempts       smallint NOT NULL DEFAULT 0,
  lease_until    timestamptz,
  processed_at   timestamptz
);
CREATE INDEX inbound_message_open ON inbound_message (id) WHERE status = 'received';
CREATE INDEX inbound_message_kept ON inbound_message (received_at) WHERE raw IS NOT NULL;

ALTER TABLE response
  -- The mail that said so; NULL for an answer given while sending.
  ADD COLUMN message_id bigint,
  -- dsn, free_text, arf, auto_reply, reply; smtp for an answer given while sending.
  ADD COLUMN kind text NOT NULL DEFAULT 'smtp',
  -- Stable name such as userunknown, mailboxfull.
  ADD COLUMN reason text;
-- A message that is looked at again changes nothing.
CREATE UNIQUE INDEX response_of_message ON response (mailing_id, recipient_id, message_id) WHERE message_id IS NOT NULL;

ALTER TABLE client
  ADD COLUMN hard_bounce_limit integer NOT NULL DEFAULT 3 CHECK (hard_bounce_limit > 0),
  ADD COLUMN soft_bounce_limit integer NOT NULL DEFAULT 5 CHECK (soft_bounce_limit > 0);

-- Bounces of an address over all mailings of a client. Written under the client's ticket.
CREATE TABLE bounce_count (
  client_id  bigint NOT NULL REFERENCES client,
  -- Trimmed and in lower case.
  address    text NOT NULL,
  hard       integer NOT NULL DEFAULT 0,
  soft       integer NOT NULL DEFAULT 0,
  PRIMARY KEY (client_id, address)
) WITH (fillfactor = 80);

-- Blocklist entries with wildcards, few per client: `*` is any text, `?` one character.
CREATE TABLE suppression_pattern (
  client_id     bigint NOT NULL REFERENCES client,
  -- Trimmed and in lower case.
  pattern       text NOT NULL,
  like_pattern  text NOT NULL GENERATED ALWAYS AS (
    translate(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*?', '%_')
  ) STORED,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (client_id, pattern)
);

-- Why a client does not mail an address (trimmed, lower case); NULL when it does. One row, and a plain SELECT, so that the
-- statements that use it (import, take-off, resend) plan it as their own; LIMIT keeps it from being evaluated per mention.
CREATE FUNCTION suppression_of(of_client bigint, of_address text) RETURNS TABLE (reason suppression_reason) LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT a.reason FROM suppression a WHERE a.client_id = of_client AND a.address = of_address ORDER BY a.reason LIMIT 1),
    (SELECT 'blacklisted'::suppression_reason FROM suppression_pattern p WHERE p.client_id = of_client AND of_address LIKE p.like_pattern LIMIT 1)
  ) LIMIT 1
$$;

-- A resend is a mailing of its own with the import and source of the one that it repeats.
ALTER TABLE mailing ADD COLUMN resend_of bigint REFERENCES mailing;
ALTER TABLE mailing DROP CONSTRAINT mailing_import_id_source_mailing_id_key;
CREATE UNIQUE INDEX mailing_of_import ON mailing (import_id, source_mailing_id) WHERE resend_of IS NULL;
CREATE INDEX mailing_resent ON mailing (resend_of) WHERE resend_of IS NOT NULL;
