-- What happened to a client's files and mailings, in the words of status mails and log files. Written by triggers in the
-- transaction that changes a status: nothing that changes one has to remember it.

CREATE TYPE journal_kind AS ENUM (
  'import_imported', 'import_empty', 'import_stored', 'import_ignored', 'import_failed', 'import_restarted', 'start_failed',
  'restart_ordered', 'skip_ordered',
  'mailing_scheduled', 'mailing_started', 'mailing_paused', 'mailing_resumed', 'mailing_cancelled', 'mailing_finished',
  'export_done', 'inbox_halted', 'inbox_restarted'
);

-- Without foreign keys to what it tells of: that may go before.
CREATE TABLE journal (
  id             bigint PRIMARY KEY DEFAULT nextval('id_block'),
  client_id      bigint NOT NULL REFERENCES client,
  kind           journal_kind NOT NULL,
  import_id      bigint,
  mailing_id     bigint,
  export_id      bigint,
  -- As of that moment: names, counts, the first faults. IDs are decimal strings.
  facts          jsonb NOT NULL,
  -- Not now(): a mailing may start and end in one transaction.
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- It stands in the log files. A flag and no watermark: neither IDs nor times are in the order of commits.
  logged         boolean NOT NULL DEFAULT false,
  -- Who is still to be mailed; NULL before the first try.
  mail_to        text[],
  -- Not to be tried before: the lease of who tries it now, or the pause after a failure.
  mail_due_at    timestamptz,
  mail_attempts  integer NOT NULL DEFAULT 0,
  -- When nobody was left to be mailed.
  mailed_at      timestamptz
);
CREATE INDEX journal_to_mail ON journal (created_at) WHERE mailed_at IS NULL;
CREATE INDEX journal_to_log ON journal (client_id) WHERE NOT logged;
CREATE INDEX journal_of_client ON journal (client_id, created_at);
CREATE INDEX journal_of_import ON journal (import_id);

CREATE FUNCTION journal_import() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  what journal_kind := CASE
    WHEN OLD.status = 'failed' AND NEW.status IN ('claiming', 'claimed', 'imported') THEN 'import_restarted'
    WHEN NEW.status = 'imported' THEN 'import_imported'
    WHEN NEW.status = 'empty' THEN 'import_empty'
    -- Product data. As text: a later migration adds the value.
    WHEN NEW.status::text = 'stored' THEN 'import_stored'
    WHEN NEW.status = 'ignored' THEN 'import_ignored'
    WHEN NEW.status = 'failed' AND NEW.accepted THEN 'start_failed'
    WHEN NEW.status = 'failed' THEN 'import_failed'
    -- Files that are orders: `<name>.restart`, `<name>.skip`.
    WHEN NEW.status = 'restarted' THEN 'restart_ordered'
    WHEN NEW.status = 'skipped' THEN 'skip_ordered'
  END;
BEGIN
  IF what IS NOT NULL THEN
    INSERT INTO journal (client_id, kind, import_id, facts) VALUES (NEW.client_id, what, NEW.id, jsonb_build_object(
      'directory', NEW.directory, 'fileName', NEW.file_name, 'rows', NEW.rows, 'blankLines', NEW.blank_lines,
      'queued', NEW.queued, 'suppressed', NEW.suppressed, 'invalid', NEW.invalid, 'duplicate', NEW.duplicate,
      'faults', jsonb_path_query_array(coalesce(NEW.faults, '[]'), '$[0 to 19]'),
      'faultCount', jsonb_array_length(coalesce(NEW.faults, '[]')),
      'mailings', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id::text, 'name', m.name) ORDER BY m.id), '[]')
                     FROM mailing m WHERE m.import_id = NEW.id AND m.resend_of IS NULL)));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER journal_insert AFTER INSERT ON import FOR EACH ROW EXECUTE FUNCTION journal_import();
CREATE TRIGGER journal_update AFTER UPDATE OF status ON import FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION journal_import();

CREATE FUNCTION journal_mailing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  what journal_kind := CASE
    WHEN NEW.status IN ('scheduled', 'sending') AND OLD.status = 'paused' THEN 'mailing_resumed'
    WHEN NEW.status = 'scheduled' THEN 'mailing_scheduled'
    WHEN NEW.status = 'sending' THEN 'mailing_started'
    WHEN NEW.status = 'paused' THEN 'mailing_paused'
    WHEN NEW.status = 'cancelled' THEN 'mailing_cancelled'
    WHEN NEW.status = 'finished' THEN 'mailing_finished'
  END;
BEGIN
  IF what IS NOT NULL THEN
    INSERT INTO journal (client_id, kind, import_id, mailing_id, facts)
    SELECT NEW.client_id, what, NEW.import_id, NEW.id, jsonb_build_object(
      'directory', i.directory, 'fileName', i.file_name, 'name', NEW.name, 'sourceMailingId', NEW.source_mailing_id::text,
      'resendOf', NEW.resend_of::text, 'recipients', NEW.recipients, 'sendAt', NEW.send_at)
      FROM import i WHERE i.id = NEW.import_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER journal_insert AFTER INSERT ON mailing FOR EACH ROW EXECUTE FUNCTION journal_mailing();
CREATE TRIGGER journal_update AFTER UPDATE OF status ON mailing FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION journal_mailing();

CREATE FUNCTION journal_export() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO journal (client_id, kind, export_id, facts)
  VALUES (NEW.client_id, 'export_done', NEW.id, jsonb_build_object('files', NEW.files));
  RETURN NULL;
END $$;
CREATE TRIGGER journal_update AFTER UPDATE OF status ON export FOR EACH ROW
  WHEN (NEW.status = 'done' AND OLD.status <> 'done') EXECUTE FUNCTION journal_export();

CREATE FUNCTION journal_inbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO journal (client_id, kind, import_id, facts)
  SELECT NEW.client_id, CASE WHEN NEW.halted_at IS NULL THEN 'inbox_restarted' ELSE 'inbox_halted' END::journal_kind, i.id,
         jsonb_build_object('directory', NEW.directory, 'fileName', i.file_name)
    FROM import i WHERE i.id = coalesce(NEW.import_id, OLD.import_id);
  RETURN NULL;
END $$;
CREATE TRIGGER journal_insert AFTER INSERT ON inbox FOR EACH ROW WHEN (NEW.halted_at IS NOT NULL) EXECUTE FUNCTION journal_inbox();
CREATE TRIGGER journal_update AFTER UPDATE OF halted_at ON inbox FOR EACH ROW
  WHEN ((OLD.halted_at IS NULL) <> (NEW.halted_at IS NULL)) EXECUTE FUNCTION journal_inbox();

-- When a client's old files are to be looked for next on the SFTP server; no row: now.
CREATE TABLE file_sweep (
  client_id  bigint PRIMARY KEY REFERENCES client,
  due_at     timestamptz NOT NULL
);
