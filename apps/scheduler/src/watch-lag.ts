import type { Clock } from '@postloop/contracts';
import { type Database, selectLag } from '@postloop/db';
import type { Metrics } from './metrics.js';

/** An export that takes longer than this is late. */
const EXPORT_LATE_MS = 15 * 60_000;

/**
 * How long the oldest work of each kind waits. When PostgreSQL is away the figures stand still; their own time says so.
 */
export async function watchLag({
  db,
  clock,
  metrics,
}: {
  db: Pick<Database, 'pool'>;
  clock: Clock;
  metrics: Metrics;
}): Promise<void> {
  const { oldestSeconds, exports, imports } = await selectLag(db.pool, EXPORT_LATE_MS);
  for (const [work, seconds] of Object.entries(oldestSeconds)) metrics.oldestWaiting.set({ work }, seconds);
  for (const [state, count] of Object.entries(exports)) metrics.exports.set({ state }, count);
  for (const [status, count] of Object.entries(imports)) metrics.openImports.set({ status }, count);
  metrics.lagMeasuredAt.set(clock.now().getTime() / 1_000);
}
