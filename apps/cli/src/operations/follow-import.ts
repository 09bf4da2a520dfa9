import {
  type Database,
  type ImportSummary,
  type MailingSummary,
  selectImportReport,
  selectImportSummary,
  selectMailingsOfImport,
} from '@postloop/db';
import type { Progress } from '../support/progress.js';
import { until } from '../support/until.js';

export interface FollowedImport {
  row: ImportSummary;
  mailings: MailingSummary[];
}

const UNDER_WAY = ['claiming', 'claimed', 'imported'];
const SENDING = ['building', 'sending'];

/**
 * Waits until a file's import has ended and its mailings run no more (paused counts: somebody wants it so).
 * @param after the newest import of that name before the upload; an older one is not meant
 */
export async function followImport(
  { db, progress }: { db: Database; progress: Progress },
  file: { clientId: bigint; fileName: string; after: bigint },
  deadlineMs?: number,
): Promise<FollowedImport> {
  const bar = progress.bar('sending');
  let followed: FollowedImport | undefined;
  const ended = async () => {
    const report = await selectImportReport(db.pool, file.clientId, file.fileName);
    if (!report || report.id <= file.after || UNDER_WAY.includes(report.status)) return false;
    const mailings = await selectMailingsOfImport(db.pool, report.id);
    const total = mailings.reduce((sum, { recipients }) => sum + Number(recipients), 0);
    if (total > 0) bar(Number(mailings.reduce((sum, { done }) => sum + done, 0n)), total);
    if (mailings.some(({ status }) => SENDING.includes(status))) return false;
    const row = await selectImportSummary(db.pool, report.id);
    // Filed as well: whoever waits for a failed file wants to see its error file.
    if (!row?.filed) return false;
    followed = { row, mailings };
    return true;
  };
  await until(`${file.fileName} is imported and its mailings are finished`, ended, deadlineMs);
  if (!followed) throw new Error('unreachable');
  return followed;
}

/** The newest import of a file name; 0 when there is none. */
export async function newestImport(db: Database, clientId: bigint, fileName: string): Promise<bigint> {
  return (await selectImportReport(db.pool, clientId, fileName))?.id ?? 0n;
}
