import { type FileFault, FileKnown, FileRejected, type InboxOrder, RetryLater } from '@postloop/contracts';
import {
  type Correction,
  type Database,
  endOrder,
  type ImportRow,
  type ImportStatus,
  type RestartOutcome,
  restartImport,
  selectImportNamed,
  selectMasterList,
  skipImport,
  storeCorrections,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { killPoint, type Logger } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { readCorrections } from './corrections.js';

interface OrderContext {
  db: Database;
  producer: Producer;
  sftp: SftpSession;
  log: Logger;
}

interface OrderFile {
  order: InboxOrder;
  /** The file that is meant. */
  fileName: string;
  /** Where the order itself lies. */
  path: string;
}

interface Target {
  id: bigint;
  status: ImportStatus;
  accepted: boolean;
}

/**
 * Carries out what `<name>.restart` or `<name>.skip` says about the import of `<name>` (spec 5). The order ends in the transaction
 * that changes the import: it is carried out once, and a crash leaves it to be read again.
 * @throws FileRejected when it cannot be carried out, FileKnown when there is nothing to do
 */
export async function carryOutOrder(context: OrderContext, row: ImportRow, file: OrderFile): Promise<void> {
  const { db, producer, log } = context;
  const target = await selectImportNamed(db.pool, { ...row, fileName: file.fileName });
  if (!target)
    throw new FileRejected([
      faultOf('order_unknown', `no file ${file.fileName} came to this directory.`, 'Name the file as it was uploaded.'),
    ]);
  if (file.order === 'skip') await skip(db, row, target, file);
  else await restart(context, row, target, file);
  killPoint('importer.after-order');
  log.info({ order: file.order, fileName: file.fileName, failedImport: target.id }, 'order carried out');
  if (file.order === 'restart') await producer.enqueue('fileImport', { v: 1, importId: target.id });
}

async function skip(db: Database, row: ImportRow, target: Target, { fileName }: OrderFile): Promise<void> {
  await db.transaction(async (sql) => {
    await endOrder(sql, row.id, 'skipped');
    if (await skipImport(sql, target.id)) return;
    throw new FileKnown([faultOf('order_needless', `the directory did not stop for ${fileName}.`, 'Nothing to do.')]);
  });
}

async function restart(context: OrderContext, row: ImportRow, target: Target, file: OrderFile): Promise<void> {
  const corrections = await correctionsFor(context, row, file);
  if (corrections.length > 0 && target.accepted)
    throw new FileRejected([
      faultOf(
        'correction',
        `the rows of ${file.fileName} are stored already; none of them can be changed.`,
        'Send an empty restart file.',
      ),
    ]);
  await context.db.transaction(async (sql) => {
    await endOrder(sql, row.id, 'restarted');
    await storeCorrections(sql, target.id, corrections);
    const outcome = await restartImport(sql, target.id);
    if ('refused' in outcome) throw refusal(outcome, file, corrections);
  });
}

async function correctionsFor(
  { db, sftp }: OrderContext,
  row: ImportRow,
  { path, fileName }: OrderFile,
): Promise<Correction[]> {
  const list = await selectMasterList(db.pool, row.clientId);
  const corrections = await readCorrections(sftp.openRead(path), list?.fields.length ?? 0);
  if (corrections.length > 0 && row.directory === 'products')
    throw new FileRejected([
      faultOf(
        'correction',
        `${fileName} holds product data, which take no corrected rows.`,
        'Upload the whole file under a new name.',
      ),
    ]);
  return corrections;
}

/** With rows that would be lost it is a fault; without any there was just nothing to do. */
function refusal(
  { refused, status }: Extract<RestartOutcome, { refused: string }>,
  { fileName }: OrderFile,
  corrections: readonly Correction[],
): Error {
  if (refused === 'filing' || refused === 'busy') return new RetryLater(1_000, `${fileName} is not ready: ${refused}`);
  const fault = faultOf(
    'order_needless',
    `the import of ${fileName} is ${status ?? refused}, not failed.`,
    'Only what failed can be restarted.',
  );
  return corrections.length > 0 ? new FileRejected([fault]) : new FileKnown([fault]);
}

const faultOf = (code: FileFault['code'], message: string, remedy: string): FileFault => ({
  code,
  line: null,
  column: null,
  message,
  remedy,
});
