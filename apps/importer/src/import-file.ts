import { type Clock, describeFault, FileKnown, FileRejected, RetryLater, readInboxOrder } from '@postloop/contracts';
import {
  type Database,
  deleteCorrections,
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
import { acceptFile } from './accept.js';
import { carryOutOrder } from './carry-out-order.js';
import { fetchFile, fileAway } from './file-away.js';
import { importProducts } from './import-products.js';

export interface ImportContext {
  db: Database;
  producer: Producer;
  /** A session of the client's account. */
  connect: (client: { sftpAccount: string | null }) => Promise<SftpSession>;
  log: Logger;
  clock: Clock;
  rows: Counter<'status'>;
  files: Counter<'status'>;
}

type Import = Omit<ImportContext, 'connect'> & { sftp: SftpSession };

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
    if (!row || row.status === 'claiming' || (row.filed && row.status !== 'claimed')) return row;
    await using sftp = await context.connect(row);
    if (row.status === 'claimed') await withPulse(db, importId, () => importClaimed({ ...context, sftp }, row));
    const after = await selectImport(db.pool, importId);
    if (after && !after.filed) await fileAway({ db, sftp }, after);
    return after;
  });
  if (!done) throw new RetryLater(1_000, 'another importer holds this file');
  if (!done.result) return;
  if (done.result.status === 'imported') await producer.enqueue('mailingBuild', { v: 1, importId });
  // The next file of the directory need not wait for the next poll by the clock.
  await producer.enqueue('inboxPoll', { v: 1, clientId: done.result.clientId });
}

async function importClaimed(context: Import, row: ImportRow): Promise<void> {
  const order = readInboxOrder(row.fileName);
  try {
    const path = await fetchFile(context.sftp, row);
    if (order) await carryOutOrder(context, row, { ...order, path });
    else if (row.directory === 'products') await importProductRows(context, row, path);
    else await importRecipientRows(context, row, path);
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    await reject(context, row, error);
    if (!order) context.files.inc({ status: statusOf(error) });
  }
}

async function importRecipientRows(context: Import, row: ImportRow, path: string): Promise<void> {
  const { rows, blankLines, counts, status } = await acceptFile(context, row, path);
  for (const [name, count] of Object.entries(counts)) context.rows.inc({ status: name }, Number(count));
  context.files.inc({ status });
  describeSpan({ 'postloop.rows': rows, 'postloop.outcome': status });
  context.log.info({ fileName: row.fileName, rows, blankLines, ...counts, status }, 'file imported');
}

async function importProductRows(context: Import, row: ImportRow, path: string): Promise<void> {
  const stored = await importProducts(context, row, path);
  context.files.inc({ status: 'stored' });
  describeSpan({ 'postloop.rows': stored.rows, 'postloop.outcome': 'stored' });
  context.log.info({ fileName: row.fileName, ...stored }, 'product file stored');
}

const statusOf = (error: FileRejected) => (error instanceof FileKnown ? 'ignored' : 'failed');

async function reject({ db, log }: Import, row: ImportRow, error: FileRejected): Promise<void> {
  const status = statusOf(error);
  const [fault] = error.faults;
  // A corrected row that has no place in the file would fail every further try.
  const misplaced = error.faults.flatMap(({ code, line }) => (code === 'correction' && line ? [BigInt(line)] : []));
  await db.transaction(async (sql) => {
    await endImport(sql, row.id, status, error.faults);
    if (misplaced.length > 0) await deleteCorrections(sql, row.id, misplaced);
  });
  describeSpan({ 'postloop.outcome': status, 'postloop.fault': fault.code });
  log[status === 'failed' ? 'error' : 'info'](
    { fileName: row.fileName, fault: describeFault(fault) },
    `file ${status}`,
  );
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
