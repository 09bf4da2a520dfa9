import type { Payload, QueueKey } from '@postloop/contracts';
import {
  type Database,
  finishMailing,
  releaseAbandonedBatches,
  selectForgottenJobs,
  selectUnfinishedMailings,
  withTurn,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { Logger } from '@postloop/service-kit';
import type { Metrics } from './metrics.js';

export interface ReconcileDeps {
  db: Database;
  producer: Pick<Producer, 'enqueueAll' | 'depths'>;
  log: Pick<Logger, 'info' | 'debug'>;
  metrics: Metrics;
}

/**
 * Enqueues again what stood still in PostgreSQL for `afterMs`: lost by the queue, or dropped by a worker that died.
 * A job that is there after all is not doubled (job IDs), and one that runs twice finds nothing to claim.
 */
export async function reconcile(deps: ReconcileDeps, afterMs: number): Promise<void> {
  await withTurn(deps.db, 'reconcile', async (sql) => {
    await releaseAbandoned(deps);
    for (const { id } of await selectUnfinishedMailings(sql, afterMs)) await finish(deps, id);
    const forgotten = await selectForgottenJobs(sql, afterMs, await isDry(deps.producer));
    for (const key of Object.keys(forgotten) as QueueKey[]) await enqueueAgain(deps, key, forgotten[key] ?? []);
  });
}

/**
 * While send jobs wait in the queue, a batch that nobody took waits for its turn like them. A large mailing has thousands of
 * those, and to enqueue them again every few seconds would keep the queue busy with nothing.
 */
async function isDry(producer: Pick<Producer, 'depths'>): Promise<boolean> {
  const { mailSend } = await producer.depths();
  return mailSend.waiting === 0;
}

async function enqueueAgain<K extends QueueKey>(
  { producer, log, metrics }: ReconcileDeps,
  key: K,
  payloads: Payload<K>[],
): Promise<void> {
  if (payloads.length === 0 || !(await producer.enqueueAll(key, payloads))) return;
  metrics.reenqueued.inc({ kind: key }, payloads.length);
  // No news: a queue that is merely long looks the same from here.
  log.debug({ queue: key, jobs: payloads.length }, 'enqueued again what stood still');
}

/** In a transaction of its own: it holds the client's ticket, which every recorder of events waits for. */
async function finish({ db, log, metrics }: ReconcileDeps, mailingId: bigint): Promise<void> {
  if (!(await db.transaction((sql) => finishMailing(sql, mailingId)))) return;
  metrics.finishedMailings.inc();
  log.info({ mailingId }, 'finished a mailing whose batches were all done');
}

/** Paused or cancelled mailings have no next holder that would find what a lost sender had in flight. */
async function releaseAbandoned({ db, log }: ReconcileDeps): Promise<void> {
  const { batches, unknown } = await db.transaction(releaseAbandonedBatches);
  if (unknown > 0)
    log.info({ batches, unknown }, 'a sender was lost with mails in flight of a mailing that is not sending');
}
