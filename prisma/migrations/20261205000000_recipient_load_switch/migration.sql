DROP INDEX mailing_recipient_address;
ALTER INDEX mailing_recipient_address_new RENAME TO mailing_recipient_address;

-- An import copies its rows here itself.
ALTER TABLE mailing_recipient
  ALTER COLUMN id SET DEFAULT nextval('id_block'),
  ALTER COLUMN status SET DEFAULT 'queued';

-- Left by imports that were cut off.
DO $$
DECLARE
  staging text;
BEGIN
  FOR staging IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^staging_[0-9]+(_verdict)?$' LOOP
    EXECUTE format('DROP TABLE %I', staging);
  END LOOP;
END $$;

-- As before. Vacuuming is what puts new ranges into the index of addresses (autosummarize would fill the log: it forgets what it
-- cannot note down, aloud): after every million rows, however many there are.
CREATE OR REPLACE FUNCTION ensure_partitions(around bigint, ahead integer DEFAULT 2) RETURNS void LANGUAGE plpgsql AS $$
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
      ELSIF parent = 'mailing_recipient' THEN
        EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_insert_threshold = 1000000, autovacuum_vacuum_insert_scale_factor = 0)', partition);
      END IF;
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, partition, number * span, (number + 1) * span);
    END LOOP;
  END LOOP;
END $$;

DO $$
DECLARE
  partition regclass;
BEGIN
  FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'mailing_recipient'::regclass LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_insert_threshold = 1000000, autovacuum_vacuum_insert_scale_factor = 0)', partition);
  END LOOP;
END $$;
