import { describeFault, FileKnown, FileRejected, inboxPaths, RetryLater } from '@postloop/contracts';
import {
  type Database,
  dropStaging,
  endImport,
  type ImportRow,
  selectImport,
  selectTraceOfImport,
  touchImport,
  withLock,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { describeSpan, type Logger, linkTraces, withSpan } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import type { Counter } from 'prom-client';
import { acceptStagedFile } from './accept.js';
import { fileAway } from './file-away.js';
import { stageFile } from './stage-file.js';

export interface ImportContext {
  db: Database;
  producer: Producer;
  sftp: SftpSession;
  log: Logger;
  rows: Counter<'status'>;
  files: Counter<'status'>;
}

const PULSE_MS = 5_000;

/**
 * One claimed file, from `processing/` to mailing recipients. Safe to repeat from any point: up to the accepting transaction
 * nothing of the file counts and it is read again; after it only the filing and the wake-ups are left.
 */
export function importFile(context: ImportContext, importId: bigint): Promise<void> {
  return withSpan('file.import', { attributes: { 'postloop.import': importId } }, async () => {
    await linkTraces(() => selectTraceOfImport(context.db.pool, importId));
    await importAndFile(context, importId);
  });
}

async function importAndFile(context: ImportContext, importId: bigint): Promise<void> {
  const { db, producer } = context;
  const done = await withLock(db, importId, async () => {
    const row = await selectImport(db.pool, importId);
    if (!row) return undefined;
    if (row.status === 'claimed') await withPulse(db, importId, () => importRows(context, row));
    const after = await selectImport(db.pool, importId);
    if (after && !after.filed && after.status !== 'claiming') await fileAway(context, after);
    return after;
  });
  if (!done) throw new RetryLater(1_000, 'another importer holds this file');
  if (!done.result) return;
  if (done.result.status === 'imported') await producer.enqueue('mailingBuild', { v: 1, importId });
  // The next file of the directory need not wait for the next poll by the clock.
  await producer.enqueue('inboxPoll', { v: 1, clientId: done.result.clientId });
}

async function importRows(context: ImportContext, row: ImportRow): Promise<void> {
  const { db, log, rows, files } = context;
  const path = `${inboxPaths(row.clientDirectory, row.directory).processing}/${row.fileName}`;
  try {
    const staged = await stageFile(context, row, path);
    const { counts, status } = await acceptStagedFile(db, row, staged);
    for (const [name, count] of Object.entries(counts)) rows.inc({ status: name }, Number(count));
    files.inc({ status });
    describeSpan({ 'postloop.rows': staged.rows, 'postloop.outcome': status });
    log.info(
      { fileName: row.fileName, rows: staged.rows, blankLines: staged.blankLines, ...counts, status },
      'file imported',
    );
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    const status = error instanceof FileKnown ? 'ignored' : 'failed';
    await endImport(db.pool, row.id, status, error.faults);
    await dropStaging(db.pool, row.id);
    files.inc({ status });
    describeSpan({ 'postloop.outcome': status, 'postloop.fault': error.faults[0].code });
    log[status === 'failed' ? 'error' : 'info'](
      { fileName: row.fileName, fault: describeFault(error.faults[0]) },
      `file ${status}`,
    );
  }
}

/** Tells the reconciler that the import lives. */
async function withPulse(db: Database, importId: bigint, work: () => Promise<void>): Promise<void> {
  const pulse = setInterval(() => void touchImport(db.pool, importId).catch(() => undefined), PULSE_MS);
  try {
    await work();
  } finally {
    clearInterval(pulse);
  }
}
