import { type FileFault, RetryLater } from '@postloop/contracts';
import {
  type BuildingMailing,
  type Database,
  failMailings,
  insertMailingContent,
  type ListField,
  planBatches,
  type SourceMailing,
  selectBuildingMailings,
  selectListFields,
  selectSourceMailings,
  selectTraceOfImport,
  startMailings,
  withLock,
} from '@postloop/db';
import { TemplateError } from '@postloop/mail-domain';
import { copySourceMailing } from '@postloop/mail-domain/compile-source';
import type { Producer } from '@postloop/queue';
import { describeSpan, killPoint, type Logger, linkTraces, withSpan } from '@postloop/service-kit';
import mjml2html from 'mjml';
import type { Counter } from 'prom-client';

export interface BuildContext {
  db: Database;
  producer: Producer;
  log: Logger;
  batchSize: number;
  built: Counter<'outcome'>;
}

/**
 * Copies and compiles every source mailing that an import names, then starts all copies together: a template that does not
 * compile stops the whole file before its first mail. Safe to repeat: a copy that stands is kept, and only mailings in
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
    const faults = await copyAll(context, building);
    if (faults.length > 0) {
      await db.transaction((sql) => failMailings(sql, importId, faults));
      context.built.inc({ outcome: 'failed' }, building.length);
      describeSpan({ 'postloop.outcome': 'failed' });
      log.error({ faults }, 'the mailings of this import do not compile; nothing was sent');
      await producer.enqueue('fileImport', { v: 1, importId });
      return;
    }
    killPoint('factory.after-copy');
    const batches = await db.transaction(async (sql) => {
      for (const { id } of building) await planBatches(sql, id, context.batchSize);
      return startMailings(sql, importId);
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

/** Freezes one copy after the other; the faults of all of them are told together. */
async function copyAll({ db }: BuildContext, building: readonly BuildingMailing[]): Promise<FileFault[]> {
  const sources = await selectSourceMailings(
    db,
    building.map((mailing) => mailing.sourceMailingId),
  );
  const faults: FileFault[] = [];
  for (const mailing of building) {
    const source = sources.find(({ id }) => id === mailing.sourceMailingId);
    if (!source) throw new Error(`source mailing ${mailing.sourceMailingId} is gone`);
    try {
      await freeze(db, mailing, source, await selectListFields(db.pool, source.listId));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      faults.push(
        ...error.problems.map(
          (problem): FileFault => ({
            code: 'template',
            line: problem.line,
            column: problem.column,
            message: `source mailing ${source.name}, ${problem.part}: ${problem.message}`,
            remedy: problem.remedy,
          }),
        ),
      );
    }
  }
  return faults;
}

async function freeze(
  db: Database,
  mailing: BuildingMailing,
  source: SourceMailing,
  fields: readonly ListField[],
): Promise<void> {
  const copy = await copySourceMailing(source, fields, mjml2html);
  await db.transaction((sql) => insertMailingContent(sql, mailing.id, copy));
}
