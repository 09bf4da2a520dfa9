-- Response files as each client wants them, the same bytes when a run is repeated, and recipients whose time is over.

-- Of the transaction that started it, whichever way that came about: some clients are told of mailings when they start, too.
ALTER TABLE mailing ADD COLUMN started_ticket bigint;
CREATE INDEX mailing_started ON mailing (client_id, started_ticket) WHERE started_ticket IS NOT NULL;
CREATE FUNCTION take_started_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.started_ticket := take_ticket(NEW.client_id);
  RETURN NEW;
END $$;
CREATE TRIGGER started BEFORE UPDATE OF started_at ON mailing FOR EACH ROW
  WHEN (OLD.started_at IS NULL AND NEW.started_at IS NOT NULL) EXECUTE FUNCTION take_started_ticket();

ALTER TABLE export
  -- ExportSettings of packages/db: what the client had chosen when the run was planned. A later change is for later runs.
  ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
  -- export_undecided holds what belongs there.
  ADD COLUMN pinned_at timestamptz;
UPDATE export e SET settings = jsonb_build_object('timeZone', c.time_zone) FROM client c WHERE c.id = e.client_id;

-- Deliveries of a run's mailings that may still change when the sending log is written: what the log says of them, then and when
-- the run is repeated. No status: a sender held the batch of a mailing that was cancelled and had not handed this mail over.
CREATE TABLE export_undecided (
  export_id     bigint NOT NULL REFERENCES export ON DELETE CASCADE,
  mailing_id    bigint NOT NULL,
  recipient_id  bigint NOT NULL,
  status        delivery_status,
  started_at    timestamptz,
  PRIMARY KEY (export_id, mailing_id, recipient_id)
);

-- What runs with to_ticket < before_ticket said of an event that is judged differently now.
CREATE TABLE event_earlier (
  mailing_id     bigint NOT NULL,
  event_id       uuid NOT NULL,
  before_ticket  bigint NOT NULL,
  client_id      bigint NOT NULL,
  browser        text NOT NULL,
  platform       text NOT NULL,
  device         text NOT NULL,
  verdict        event_verdict NOT NULL,
  PRIMARY KEY (mailing_id, event_id, before_ticket)
);
CREATE INDEX event_earlier_ticket ON event_earlier (client_id, before_ticket);

-- A trigger, for whoever judges events anew must not be able to forget it. The ticket is held to the commit, as in take_ticket.
CREATE FUNCTION keep_earlier_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_earlier (mailing_id, event_id, before_ticket, client_id, browser, platform, device, verdict)
  WITH changed AS MATERIALIZED (
    SELECT o.* FROM earlier o JOIN later n USING (mailing_id, id)
     WHERE (o.browser, o.platform, o.device, o.verdict) IS DISTINCT FROM (n.browser, n.platform, n.device, n.verdict)
  ), tickets AS MATERIALIZED (
    SELECT client_id, take_ticket(client_id) AS ticket FROM (SELECT DISTINCT client_id FROM changed ORDER BY client_id) c
  )
  SELECT o.mailing_id, o.id, t.ticket, o.client_id, o.browser, o.platform, o.device, o.verdict
    FROM changed o JOIN tickets t USING (client_id);
  RETURN NULL;
END $$;
CREATE TRIGGER keep_earlier AFTER UPDATE ON event REFERENCING OLD TABLE AS earlier NEW TABLE AS later
  FOR EACH STATEMENT EXECUTE FUNCTION keep_earlier_event();

-- ClientSettings.modules: both are on unless the client says otherwise.
CREATE FUNCTION module_is_on(of_client bigint, module text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((settings -> 'modules' -> module)::boolean, true) FROM client WHERE id = of_client
$$;

-- After a mailing's lifetime its recipients keep IDs and addresses only (recycled), and after another those go, too (forgotten).
ALTER TABLE mailing
  -- The last recipient that was recycled: small batches, in the order of IDs.
  ADD COLUMN recycled_id bigint NOT NULL DEFAULT 0,
  ADD COLUMN recycled_at timestamptz,
  ADD COLUMN forgotten_at timestamptz;
CREATE INDEX mailing_kept ON mailing (client_id, created_at) WHERE forgotten_at IS NULL;
