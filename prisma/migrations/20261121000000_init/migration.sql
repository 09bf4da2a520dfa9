-- IDs: every row that is seen outside takes one value of this sequence and owns the 1,000 numbers from it on. A mailing
-- recipient's links are numbered inside its block (link ID = recipient ID + ordinal), so no row per recipient and link
-- is ever written. Gaps are fine; the numbers last for 9 * 10^15 rows.
CREATE SEQUENCE id_block AS bigint INCREMENT 1000 START 1000 CACHE 20;

CREATE TYPE list_kind AS ENUM ('master', 'import', 'regular');
CREATE TYPE field_type AS ENUM ('varchar', 'text', 'bigint', 'integer', 'decimal', 'boolean', 'date', 'timestamp');
CREATE TYPE field_role AS ENUM ('email', 'broadmail_id', 'wave_id', 'send_at', 'customer_id', 'external_customer_number', 'entity_type', 'entity_id');
CREATE TYPE source_mailing_status AS ENUM ('new', 'activation_required', 'archived');
CREATE TYPE body_format AS ENUM ('mjml', 'html');
CREATE TYPE inbox_directory AS ENUM ('import', 'test');
CREATE TYPE import_status AS ENUM ('claiming', 'claimed', 'imported', 'started', 'empty', 'failed', 'ignored');
CREATE TYPE mailing_status AS ENUM ('building', 'sending', 'paused', 'finished', 'cancelled', 'failed');
CREATE TYPE unknown_policy AS ENUM ('keep', 'resend');
CREATE TYPE recipient_status AS ENUM ('queued', 'suppressed', 'invalid', 'duplicate');
CREATE TYPE batch_status AS ENUM ('queued', 'claimed', 'waiting', 'done');
CREATE TYPE delivery_status AS ENUM ('in_flight', 'deferred', 'sent', 'could_not_be_sent', 'unknown', 'render_failed', 'suppressed');
CREATE TYPE link_purpose AS ENUM ('pixel', 'click', 'unsubscribe');
CREATE TYPE event_kind AS ENUM ('open', 'click', 'unsubscribe');
CREATE TYPE event_verdict AS ENUM ('human', 'image_proxy', 'privacy_proxy', 'scanner', 'unknown');
-- In the order of weight: the worst of a recipient's responses is the greatest.
CREATE TYPE response_category AS ENUM ('autoresponder', 'unknown', 'temporary_bounce', 'bounce', 'fatal_bounce');
CREATE TYPE suppression_reason AS ENUM ('blacklisted', 'unsubscribed', 'too_many_bounces', 'complaint');
CREATE TYPE export_status AS ENUM ('planned', 'done');
CREATE TYPE schedule_kind AS ENUM ('inbox_poll', 'response_export');

CREATE TABLE client (
  id              bigint PRIMARY KEY DEFAULT nextval('id_block'),
  name            text NOT NULL UNIQUE,
  -- The client's directory on the SFTP server; import/, export/ and the others lie under it.
  directory       text NOT NULL UNIQUE,
  time_zone       text NOT NULL DEFAULT 'UTC',
  bad_row_share   double precision NOT NULL DEFAULT 0 CHECK (bad_row_share BETWEEN 0 AND 1),
  unknown_policy  unknown_policy NOT NULL DEFAULT 'keep',
  created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recipient_list (
  id              bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id       bigint NOT NULL REFERENCES client,
  kind            list_kind NOT NULL,
  name            text NOT NULL,
  master_list_id  bigint REFERENCES recipient_list,
  created_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (client_id, kind, name)
);

CREATE TABLE recipient_list_field (
  list_id     bigint NOT NULL REFERENCES recipient_list ON DELETE CASCADE,
  ordinal     integer NOT NULL CHECK (ordinal > 0),
  name        text NOT NULL,
  type        field_type NOT NULL,
  length      integer,
  required    boolean NOT NULL DEFAULT false,
  role        field_role,
  PRIMARY KEY (list_id, ordinal),
  UNIQUE (list_id, name)
);

CREATE TABLE source_mailing (
  id              bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id       bigint NOT NULL REFERENCES client,
  list_id         bigint NOT NULL REFERENCES recipient_list,
  name            text NOT NULL,
  status          source_mailing_status NOT NULL DEFAULT 'new',
  campaign_id     bigint NOT NULL DEFAULT nextval('id_block'),
  subject         text NOT NULL,
  from_name       text NOT NULL,
  from_address    text NOT NULL,
  reply_to        text,
  body_format     body_format NOT NULL,
  body            text NOT NULL,
  text_body       text,
  link_tracking   boolean NOT NULL DEFAULT true,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (client_id, name)
);

CREATE TABLE import (
  id                 bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id          bigint NOT NULL REFERENCES client,
  directory          inbox_directory NOT NULL,
  file_name          text NOT NULL,
  size               bigint NOT NULL,
  modified_at        timestamptz NOT NULL,
  sha256             bytea,
  status             import_status NOT NULL DEFAULT 'claiming',
  -- True once the content was accepted: the ledger that the two unique indexes below keep.
  accepted           boolean NOT NULL DEFAULT false,
  recipient_list_id  bigint REFERENCES recipient_list,
  rows               bigint NOT NULL DEFAULT 0,
  blank_lines        bigint NOT NULL DEFAULT 0,
  queued             bigint NOT NULL DEFAULT 0,
  suppressed         bigint NOT NULL DEFAULT 0,
  invalid            bigint NOT NULL DEFAULT 0,
  duplicate          bigint NOT NULL DEFAULT 0,
  -- FileFault[] of packages/contracts, when rejected.
  faults             jsonb,
  -- The file lies where it stays: in done/ or failed/.
  filed              boolean NOT NULL DEFAULT false,
  created_at         timestamptz NOT NULL DEFAULT now(),
  changed_at         timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX import_ledger_name ON import (client_id, directory, file_name) WHERE accepted;
CREATE UNIQUE INDEX import_ledger_content ON import (client_id, sha256) WHERE accepted AND directory = 'import';
-- One import at a time per directory, and one winner among many pollers.
CREATE UNIQUE INDEX import_one_at_a_time ON import (client_id, directory) WHERE status IN ('claiming', 'claimed');
CREATE INDEX import_open ON import (changed_at) WHERE status IN ('claiming', 'claimed', 'imported') OR NOT filed;
CREATE INDEX import_of_client ON import (client_id, id);

CREATE TABLE mailing (
  id                 bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id          bigint NOT NULL REFERENCES client,
  import_id          bigint NOT NULL REFERENCES import,
  source_mailing_id  bigint NOT NULL REFERENCES source_mailing,
  campaign_id        bigint NOT NULL,
  recipient_list_id  bigint NOT NULL REFERENCES recipient_list,
  name               text NOT NULL,
  test               boolean NOT NULL,
  status             mailing_status NOT NULL DEFAULT 'building',
  recipients         bigint NOT NULL DEFAULT 0,
  created_at         timestamptz NOT NULL DEFAULT now(),
  started_at         timestamptz,
  finished_at        timestamptz,
  finished_ticket    bigint,
  UNIQUE (import_id, source_mailing_id)
);
CREATE INDEX mailing_exported ON mailing (client_id, finished_ticket) WHERE finished_ticket IS NOT NULL;
CREATE INDEX mailing_open ON mailing (id) WHERE status IN ('building', 'sending');

-- The frozen copy of a source mailing, as written (source) and as compiled (program). Nothing ever updates it.
CREATE TABLE mailing_content (
  mailing_id    bigint PRIMARY KEY REFERENCES mailing ON DELETE CASCADE,
  content_hash  bytea NOT NULL,
  source        jsonb NOT NULL,
  program       jsonb NOT NULL
);

CREATE TABLE link (
  mailing_id    bigint NOT NULL REFERENCES mailing ON DELETE CASCADE,
  ordinal       integer NOT NULL CHECK (ordinal BETWEEN 1 AND 999),
  -- The ID of a static link. A personalised link has one per recipient: recipient ID + ordinal.
  id            bigint NOT NULL DEFAULT nextval('id_block'),
  purpose       link_purpose NOT NULL,
  name          text NOT NULL,
  -- The target, or for a personalised link its template.
  url           text NOT NULL,
  personalised  boolean NOT NULL,
  PRIMARY KEY (mailing_id, ordinal)
);
CREATE UNIQUE INDEX link_id ON link (id);

CREATE TABLE send_batch (
  mailing_id   bigint NOT NULL REFERENCES mailing ON DELETE CASCADE,
  ordinal      integer NOT NULL,
  first_id     bigint NOT NULL,
  last_id      bigint NOT NULL,
  recipients   integer NOT NULL,
  status       batch_status NOT NULL DEFAULT 'queued',
  -- Who holds the lease: a new number with every claim. What a stale holder writes is refused by it.
  attempt_id   bigint,
  lease_until  timestamptz,
  due_at       timestamptz,
  changed_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (mailing_id, ordinal)
) WITH (fillfactor = 70);
CREATE INDEX send_batch_open ON send_batch (mailing_id, ordinal) WHERE status <> 'done';

-- The big tables are partitioned by ranges of mailing IDs, which grow with time: a partition goes when its lifetime
-- is over. Their keys are (mailing, recipient), so nothing needs a unique index over all of time. No foreign keys: they
-- would be looked up once per row on the hot paths.

-- One row per input row, written once by the import.
CREATE TABLE mailing_recipient (
  mailing_id  bigint NOT NULL,
  id          bigint NOT NULL,
  line        bigint NOT NULL,
  wave_id     bigint,
  email       text,
  fields      text[] NOT NULL,
  status      recipient_status NOT NULL,
  reason      text,
  PRIMARY KEY (mailing_id, id)
) PARTITION BY RANGE (mailing_id);

-- What became of a queued recipient: written just before DATA (in_flight), settled by the server's answer.
CREATE TABLE delivery (
  mailing_id       bigint NOT NULL,
  recipient_id     bigint NOT NULL,
  attempt_id       bigint NOT NULL,
  status           delivery_status NOT NULL,
  attempts         smallint NOT NULL DEFAULT 1,
  smtp_code        smallint,
  reason           text,
  started_at       timestamptz NOT NULL DEFAULT now(),
  settled_at       timestamptz,
  next_attempt_at  timestamptz,
  PRIMARY KEY (mailing_id, recipient_id)
) PARTITION BY RANGE (mailing_id);

CREATE TABLE event (
  mailing_id    bigint NOT NULL,
  -- Made by the gateway, which must answer while no allocator can be asked; repeats of a batch meet it again.
  id            uuid NOT NULL,
  client_id     bigint NOT NULL,
  ticket        bigint NOT NULL,
  recipient_id  bigint NOT NULL,
  kind          event_kind NOT NULL,
  link_ordinal  integer NOT NULL,
  occurred_at   timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL DEFAULT now(),
  browser       text NOT NULL,
  platform      text NOT NULL,
  device        text NOT NULL,
  verdict       event_verdict NOT NULL,
  verdict_rule  text NOT NULL,
  user_agent    text,
  PRIMARY KEY (mailing_id, id)
) PARTITION BY RANGE (mailing_id);
CREATE INDEX event_ticket ON event (client_id, ticket);

CREATE TABLE response (
  mailing_id    bigint NOT NULL,
  id            bigint NOT NULL DEFAULT nextval('id_block'),
  client_id     bigint NOT NULL,
  ticket        bigint NOT NULL,
  recipient_id  bigint NOT NULL,
  category      response_category NOT NULL,
  status_code   text,
  diagnostic    text,
  rule          text NOT NULL,
  occurred_at   timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (mailing_id, id)
) PARTITION BY RANGE (mailing_id);
CREATE INDEX response_ticket ON response (client_id, ticket);
CREATE INDEX response_recipient ON response (mailing_id, recipient_id);

CREATE TABLE suppression (
  client_id     bigint NOT NULL REFERENCES client,
  -- Trimmed and in lower case.
  address       text NOT NULL,
  reason        suppression_reason NOT NULL,
  mailing_id    bigint,
  recipient_id  bigint,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (client_id, address, reason)
);

-- Commit order as a number: whoever inserts exportable rows takes a ticket and holds this row to the commit.
CREATE TABLE export_ticket (
  client_id  bigint PRIMARY KEY REFERENCES client,
  last       bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE FUNCTION take_ticket(of_client bigint) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO export_ticket AS t (client_id, last) VALUES (of_client, 1)
  ON CONFLICT (client_id) DO UPDATE SET last = t.last + 1
  RETURNING last
$$;

CREATE TABLE export (
  id           bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id    bigint NOT NULL REFERENCES client,
  -- Everything with from_ticket < ticket <= to_ticket. Runs of a client lie end to end, so no row is in two.
  from_ticket  bigint NOT NULL,
  to_ticket    bigint NOT NULL CHECK (to_ticket >= from_ticket),
  run          integer NOT NULL,
  day          date NOT NULL,
  -- 1 for the first run of a day, then 2, 3: the suffix of the file names.
  run_of_day   integer NOT NULL,
  status       export_status NOT NULL DEFAULT 'planned',
  files        jsonb NOT NULL DEFAULT '[]',
  created_at   timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz,
  UNIQUE (client_id, run),
  UNIQUE (client_id, day, run_of_day)
);

CREATE TABLE schedule (
  client_id    bigint NOT NULL REFERENCES client,
  kind         schedule_kind NOT NULL,
  cron         text NOT NULL,
  -- NULL until the scheduler has read the cron.
  next_due_at  timestamptz,
  last_run_at  timestamptz,
  PRIMARY KEY (client_id, kind)
);
CREATE INDEX schedule_due ON schedule (next_due_at NULLS FIRST);

-- A partition spans 2^40 numbers, a thousand million recipients. ATTACH, because CREATE .. PARTITION OF would lock out
-- readers of the parent.
CREATE FUNCTION ensure_partitions(around bigint, ahead integer DEFAULT 2) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  span constant bigint := 1::bigint << 40;
  parent text;
  partition text;
  number bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('postloop.ensure_partitions'));
  FOR number IN around / span .. around / span + ahead LOOP
    FOREACH parent IN ARRAY ARRAY['mailing_recipient', 'delivery', 'event', 'response'] LOOP
      partition := parent || '_p' || number;
      CONTINUE WHEN to_regclass(partition) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent);
      IF parent = 'delivery' THEN
        -- Every row is updated once: room for that on its own page keeps the index untouched.
        EXECUTE format('ALTER TABLE %I SET (fillfactor = 60)', partition);
      END IF;
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, partition, number * span, (number + 1) * span);
    END LOOP;
  END LOOP;
END $$;

SELECT ensure_partitions(0);
