-- What mails are made of besides the recipient's fields: product data, referenced content, attachments. A mailing names the
-- versions that it began with, so that a retry and the web version show the same mail.

ALTER TYPE import_status ADD VALUE 'stored';

CREATE TYPE product_file_kind AS ENUM ('products', 'recommendations');

-- One accepted file of the directory products/: it replaces the one before as a whole.
CREATE TABLE product_version (
  id          bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id   bigint NOT NULL REFERENCES client,
  import_id   bigint NOT NULL UNIQUE REFERENCES import,
  kind        product_file_kind NOT NULL,
  -- Header of the file, the ID first.
  columns     text[] NOT NULL,
  rows        bigint NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX product_version_current ON product_version (client_id, kind, id DESC);

CREATE TABLE product (
  version_id  bigint NOT NULL REFERENCES product_version ON DELETE CASCADE,
  product_id  text NOT NULL,
  -- In the order of product_version.columns; NULL where the file has nothing.
  "values"    text[] NOT NULL,
  PRIMARY KEY (version_id, product_id)
);

CREATE TABLE product_recommendation (
  version_id   bigint NOT NULL REFERENCES product_version ON DELETE CASCADE,
  product_id   text NOT NULL,
  recommended  text[] NOT NULL,
  PRIMARY KEY (version_id, product_id)
);

ALTER TABLE mailing
  ADD COLUMN product_version_id bigint REFERENCES product_version,
  ADD COLUMN recommendation_version_id bigint REFERENCES product_version;
CREATE INDEX mailing_product_version ON mailing (product_version_id) WHERE product_version_id IS NOT NULL;
CREATE INDEX mailing_recommendation_version ON mailing (recommendation_version_id) WHERE recommendation_version_id IS NOT NULL;

-- Bytes by their hash: what several mailings attach or fetch is there once.
CREATE TABLE blob (
  sha256      bytea PRIMARY KEY,
  bytes       bytea NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);

-- What the author attached to a source mailing, and what the frozen copy keeps of it.
CREATE TABLE source_attachment (
  source_mailing_id  bigint NOT NULL REFERENCES source_mailing ON DELETE CASCADE,
  ordinal            integer NOT NULL,
  name               text NOT NULL,
  media_type         text NOT NULL,
  sha256             bytea NOT NULL REFERENCES blob,
  PRIMARY KEY (source_mailing_id, ordinal)
);
CREATE TABLE mailing_attachment (
  mailing_id  bigint NOT NULL REFERENCES mailing ON DELETE CASCADE,
  ordinal     integer NOT NULL,
  name        text NOT NULL,
  media_type  text NOT NULL,
  sha256      bytea NOT NULL REFERENCES blob,
  PRIMARY KEY (mailing_id, ordinal)
);

-- Content that a recipient's field names by URL, fetched once per mailing whoever names it.
CREATE TABLE fetched_content (
  mailing_id  bigint NOT NULL REFERENCES mailing ON DELETE CASCADE,
  url_sha256  bytea NOT NULL,
  -- NULL when it could not be had: fault and message say why.
  sha256      bytea REFERENCES blob,
  media_type  text,
  charset     text,
  fault       text,
  message     text,
  fetched_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (mailing_id, url_sha256),
  CHECK ((sha256 IS NULL) = (fault IS NOT NULL))
);
CREATE INDEX fetched_content_blob ON fetched_content (sha256);

-- Rules of the author: missing products, content that cannot be had. ContentRules of packages/mail-domain.
ALTER TABLE source_mailing ADD COLUMN rules jsonb NOT NULL DEFAULT '{}';
