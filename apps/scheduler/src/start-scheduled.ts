import type { Clock } from '@postloop/contracts';
import { type Database, startDueMailings } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { killPoint, type Logger } from '@postloop/service-kit';

export interface StartScheduledDeps {
  db: Database;
  producer: Pick<Producer, 'enqueueAll'>;
  clock: Clock;
  log: Pick<Logger, 'info'>;
}

/**
 * Starts the mailings whose time has come (spec 3). They are `sending` when their batches are enqueued: a scheduler that dies
 * in between leaves batches that nobody was told of, which the reconciler tells.
 * @returns how many started
 */
export async function startScheduled({ db, producer, clock, log }: StartScheduledDeps): Promise<number> {
  const { started, batches } = await db.transaction((sql) => startDueMailings(sql, clock.now()));
  if (started.length === 0) return 0;
  killPoint('scheduler.after-start');
  log.info({ mailings: started.map(String), batches: batches.length }, 'mailings started at their time');
  await producer.enqueueAll(
    'mailSend',
    batches.map((batch) => ({ v: 1, ...batch })),
  );
  return started.length;
}
