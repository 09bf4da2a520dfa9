-- Directories that stop after an error until they are restarted, and restarts in place: a failed import goes on under its
-- own ID.

CREATE TABLE inbox (
  client_id  bigint NOT NULL REFERENCES client,
  directory  inbox_directory NOT NULL,
  -- Since when nothing is taken from it; NULL: it goes on.
  halted_at  timestamptz,
  -- The import that failed.
  import_id  bigint REFERENCES import,
  PRIMARY KEY (client_id, directory),
  CHECK ((halted_at IS NULL) = (import_id IS NULL))
);

-- Files of the customer that are orders and hold no recipients: `<name>.restart`, `<name>.skip`.
ALTER TYPE import_status ADD VALUE 'restarted';
ALTER TYPE import_status ADD VALUE 'skipped';

ALTER TABLE import
  -- When it was last restarted. NULL: never.
  ADD COLUMN restarted_at timestamptz,
  -- The client's setting when the file was claimed: content that was accepted before is refused under a new name.
  ADD COLUMN content_once boolean NOT NULL DEFAULT false;
UPDATE import SET content_once = true WHERE directory = 'import';

DROP INDEX import_ledger_content;
CREATE UNIQUE INDEX import_ledger_content ON import (client_id, directory, sha256) WHERE accepted AND content_once;

-- processing/ holds one file of a name.
CREATE UNIQUE INDEX import_unfiled_name ON import (client_id, directory, file_name) WHERE NOT filed;
-- The newest import of a name.
CREATE INDEX import_named ON import (client_id, directory, file_name, id);

-- Rows that the customer sent in place of rejected ones. They go when the import was accepted or given up.
CREATE TABLE import_correction (
  import_id  bigint NOT NULL REFERENCES import ON DELETE CASCADE,
  -- Physical line of the file at which the row begins that this one stands in for.
  line       bigint NOT NULL,
  -- One value per column of the file.
  fields     text[] NOT NULL,
  PRIMARY KEY (import_id, line)
);
