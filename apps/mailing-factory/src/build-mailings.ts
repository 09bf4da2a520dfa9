import { type Clock, type FileFault, RetryLater } from '@postloop/contracts';
import {
  type BuildingMailing,
  type Database,
  discardMailingContent,
  failMailings,
  planBatches,
  selectBuildingMailings,
  selectTraceOfImport,
  startMailings,
  withLock,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { describeSpan, killPoint, type Logger, linkTraces, withSpan } from '@postloop/service-kit';
import type { Counter } from 'prom-client';
import { type ContentCheck, checkContent } from './check-content.js';
import { freezeMailing } from './freeze-mailing.js';

export interface BuildContext {
  db: Database;
  producer: Producer;
  log: Logger;
  clock: Clock;
  batchSize: number;
  content: Pick<ContentCheck, 'fetcher' | 'leaseMs'>;
  built: Counter<'outcome'>;
}

/**
 * Copies and compiles every source mailing that an import names, then starts all copies together: a template that does not
 * compile, product data or required content that is not there stop the whole file before its first mail. Safe to repeat: a copy that stands is kept, and only mailings in
 * `building` are touched.
 */
export function buildMailings(context: BuildContext, importId: bigint): Promise<void> {
  return withSpan('mailing.build', { attributes: { 'postloop.import': importId } }, async () => {
    await linkTraces(() => selectTraceOfImport(context.db.pool, importId));
    await buildAndStart(context, importId);
  });
}

async function buildAndStart(context: BuildContext, importId: bigint): Promise<void> {
  const { db, producer, log } = context;
  const done = await withLock(db, importId, async () => {
    const building = await selectBuildingMailings(db.pool, importId);
    if (building.length === 0) return;
    const { faults, copies } = await copyAll(context, building);
    if (faults.length > 0) {
      await db.transaction(async (sql) => {
        for (const id of copies) await discardMailingContent(sql, id);
        await failMailings(sql, importId, faults);
      });
      context.built.inc({ outcome: 'failed' }, building.length);
      describeSpan({ 'postloop.outcome': 'failed' });
      log.error({ faults }, 'the mailings of this import cannot start; nothing was sent');
      await producer.enqueue('fileImport', { v: 1, importId });
      return;
    }
    killPoint('factory.after-copy');
    const batches = await db.transaction(async (sql) => {
      for (const { id } of building) await planBatches(sql, id, context.batchSize);
      return startMailings(sql, importId, context.clock.now());
    });
    context.built.inc({ outcome: 'started' }, building.length);
    describeSpan({
      'postloop.outcome': 'started',
      'postloop.mailings': building.length,
      'postloop.batches': batches.length,
    });
    log.info({ mailings: building.map(({ id }) => id.toString()), batches: batches.length }, 'mailings started');
    await producer.enqueueAll(
      'mailSend',
      batches.map((batch) => ({ v: 1, ...batch })),
    );
  });
  if (!done) throw new RetryLater(1_000, 'another factory builds this import');
}

interface Obstacles {
  faults: FileFault[];
  /** Mailings whose copies are in the way: a restart makes them anew. */
  copies: bigint[];
}

/** Freezes one copy after the other; what is in the way of any of them is told together. */
async function copyAll({ db, clock, content }: BuildContext, building: readonly BuildingMailing[]): Promise<Obstacles> {
  const faults: FileFault[] = [];
  const copies: bigint[] = [];
  for (const mailing of building) {
    const unmade = await freezeMailing(db, mailing);
    const unfit = unmade.length > 0 ? [] : await checkContent({ db, clock, ...content }, mailing);
    if (unfit.length > 0) copies.push(mailing.id);
    faults.push(...unmade, ...unfit);
  }
  return { faults, copies };
}
