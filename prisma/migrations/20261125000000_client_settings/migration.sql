-- What the closed-loop contract lets a client choose, and campaigns that several source mailings share.

ALTER TABLE client
  -- ClientSettings of packages/contracts: only what differs from its defaults.
  ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
  -- The SFTP account of the client's files, by its name in the configuration (SFTP_ACCOUNTS). NULL: the one for all (SFTP_URL).
  ADD COLUMN sftp_account text CHECK (sftp_account ~ '^[a-z0-9][a-z0-9_-]{0,62}$');

-- Exported as compoundMasterId.
CREATE TABLE campaign (
  id         bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id  bigint NOT NULL REFERENCES client,
  name       text NOT NULL,
  UNIQUE (client_id, name)
);
INSERT INTO campaign (id, client_id, name) SELECT campaign_id, client_id, name FROM source_mailing ORDER BY id;
ALTER TABLE source_mailing
  ALTER COLUMN campaign_id DROP NOT NULL,
  ALTER COLUMN campaign_id DROP DEFAULT,
  ADD FOREIGN KEY (campaign_id) REFERENCES campaign;
-- A mailing without a campaign is left out of some feeds.
ALTER TABLE mailing ALTER COLUMN campaign_id DROP NOT NULL;

-- Built and waiting for its time (send_at).
ALTER TYPE mailing_status ADD VALUE 'scheduled' AFTER 'building';
ALTER TABLE mailing ADD COLUMN send_at timestamptz;

ALTER TYPE inbox_directory ADD VALUE 'products';

-- One address over all mailings: tracing and erasing. A B-tree would halve the speed of imports for two rare questions; a Bloom
-- filter per range of pages costs next to nothing and still leaves out almost all of them.
CREATE INDEX mailing_recipient_address ON mailing_recipient USING brin (lower(email) text_bloom_ops) WITH (autosummarize = on);
