-- Limits that all senders keep together: mails per second and places (mails or connections at a time) of a scope such as
-- `transport:default`, `client:5000`, `domain:example.com`. Unlogged: after a crash the buckets are full and the leases gone,
-- as after a start.

CREATE UNLOGGED TABLE send_quota (
  scope        text PRIMARY KEY,
  -- Permits that may be drawn: a bucket that fills with the rate.
  tokens       float8 NOT NULL,
  refilled_at  timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What each worker holds of a scope's places, until it says so again.
CREATE UNLOGGED TABLE send_place (
  scope   text NOT NULL,
  worker  uuid NOT NULL,
  held    integer NOT NULL,
  wanted  integer NOT NULL,
  until   timestamptz NOT NULL,
  PRIMARY KEY (scope, worker)
) WITH (fillfactor = 50);

-- Permits for one scope: what the bucket has, at most `wanted`. It keeps a tenth of a second's worth, one at least, so that a
-- pause is not made up for by a burst.
CREATE FUNCTION draw_permits(of_scope text, per_second float8, wanted integer, at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  bucket constant float8 := greatest(1, per_second / 10);
  full_now float8;
  drawn integer;
BEGIN
  INSERT INTO send_quota VALUES (of_scope, bucket, at) ON CONFLICT DO NOTHING;
  SELECT least(bucket, tokens + greatest(0, extract(epoch FROM at - refilled_at)) * per_second) INTO full_now
    FROM send_quota WHERE scope = of_scope FOR UPDATE;
  drawn := least(wanted, floor(full_now));
  UPDATE send_quota SET tokens = full_now - drawn, refilled_at = greatest(refilled_at, at) WHERE scope = of_scope;
  RETURN drawn;
END $$;

-- How many of a scope's `most` places the worker may use: what the others leave, and while they want more than that no more
-- than its share. Places that it uses above that it gives back as they become free.
CREATE FUNCTION draw_places(of_scope text, most integer, of_worker uuid, in_use integer, wants integer, lease interval, at timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  others_held integer;
  others_lack boolean;
  workers integer;
  granted integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('send_place ' || of_scope, 0));
  DELETE FROM send_place WHERE scope = of_scope AND until < at;
  SELECT coalesce(sum(held), 0), coalesce(bool_or(held < wanted), false), count(*) FILTER (WHERE wanted > 0)
    INTO others_held, others_lack, workers
    FROM send_place WHERE scope = of_scope AND worker <> of_worker;
  granted := least(wants, greatest(0, most - others_held));
  IF others_lack THEN
    granted := least(granted, greatest(1, most / (workers + 1)));
  END IF;
  INSERT INTO send_place AS p VALUES (of_scope, of_worker, greatest(granted, in_use), wants, at + lease)
  ON CONFLICT (scope, worker) DO UPDATE SET held = excluded.held, wanted = excluded.wanted, until = excluded.until;
  RETURN granted;
END $$;
