import { type Sql, select } from './sql.js';

/** A limit that all senders keep together. */
export interface SendLimit {
  /** Such as `transport:default`, `client:5000`, `domain:example.com`. */
  scope: string;
  mailsPerSecond: number | null;
  /** Mails, for a transport connections, at a time. */
  places: number | null;
}

export interface Draw extends SendLimit {
  /** Permits to draw from the bucket. */
  permits: number;
  /** Places that are in use now, and how many there is work for. */
  inUse: number;
  wanted: number;
}

export interface Drawn {
  scope: string;
  permits: number;
  /** Places that may be used until the next draw. */
  places: number;
}

const DRAW = `SELECT w.scope,
    CASE WHEN w.rate IS NOT NULL AND w.permits > 0 THEN draw_permits(w.scope, w.rate, w.permits, coalesce($8::timestamptz, clock_timestamp())) ELSE 0 END AS permits,
    CASE WHEN w.places IS NOT NULL THEN draw_places(w.scope, w.places, $7, w.in_use, w.wanted, $9 * interval '1 ms', coalesce($8::timestamptz, clock_timestamp())) ELSE 0 END AS places
  FROM (SELECT * FROM unnest($1::text[], $2::float8[], $3::int[], $4::int[], $5::int[], $6::int[])
          AS d(scope, rate, places, permits, in_use, wanted) ORDER BY scope) w`;

/**
 * Draws from shared limits what this worker has work for, all scopes in one statement and in the order of their names, so that
 * workers wait for each other and never in a circle. The time is the database's: workers' clocks differ. Tests hand in their own. Places are leased: those of a worker that fell silent are free again.
 */
export function drawFromLimits(
  sql: Sql,
  worker: string,
  draws: readonly Draw[],
  { now, leaseMs }: { now?: Date; leaseMs: number },
): Promise<Drawn[]> {
  return select(sql, DRAW, [
    draws.map((d) => d.scope),
    draws.map((d) => d.mailsPerSecond),
    draws.map((d) => d.places),
    draws.map((d) => d.permits),
    draws.map((d) => d.inUse),
    draws.map((d) => d.wanted),
    worker,
    now ?? null,
    leaseMs,
  ]);
}

/** Gives the places of a worker that ends back at once. */
export async function releasePlaces(sql: Sql, worker: string): Promise<void> {
  await sql.query('DELETE FROM send_place WHERE worker = $1', [worker]);
}
