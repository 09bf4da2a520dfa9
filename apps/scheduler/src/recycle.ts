import type { Clock } from '@postloop/contracts';
import {
  type Database,
  forgetRecipients,
  type RecycledBatch,
  recycleRecipients,
  selectClientSettings,
  selectClientsWithRecipients,
} from '@postloop/db';
import { killPoint, type Logger } from '@postloop/service-kit';

export interface RecycleDeps {
  db: Database;
  clock: Clock;
  log: Pick<Logger, 'info'>;
}

export interface RecycleLimits {
  /** Recipients per transaction: their rows are written anew, and senders and exporters need the disk, too. */
  batchSize: number;
  /** Transactions of a round; the next one goes on. */
  batches: number;
}

const LIMITS: RecycleLimits = { batchSize: 2_000, batches: 100 };

/**
 * Lets go of recipients' data whose time is over: first their fields, some months later all that leads to a person (spec 8). Any
 * number of schedulers may do it at once.
 */
export async function recycle(deps: RecycleDeps, limits = LIMITS): Promise<void> {
  let left = limits.batches;
  for (const { clientId } of await selectClientsWithRecipients(deps.db.pool)) {
    for await (const _batch of batchesOf(deps, clientId, limits.batchSize)) {
      killPoint('scheduler.after-recycle-batch');
      left -= 1;
      if (left === 0) return;
    }
  }
}

async function* batchesOf(
  { db, clock, log }: RecycleDeps,
  clientId: bigint,
  limit: number,
): AsyncGenerator<RecycledBatch> {
  const { mailingDays: days, identityMonths: months } = (await selectClientSettings(db.pool, clientId)).retention;
  const now = clock.now();
  const steps = [
    { what: 'recycled', next: () => recycleRecipients(db, { clientId, now, limit, days }) },
    { what: 'forgot', next: () => forgetRecipients(db, { clientId, now, limit, months }) },
  ];
  for (const { what, next } of steps)
    for (let batch = await next(); batch; batch = await next()) {
      if (batch.finished) log.info({ clientId, mailingId: batch.mailingId }, `${what} the recipients of a mailing`);
      yield batch;
    }
}
