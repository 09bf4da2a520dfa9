import { type FileFault, inboxPaths, logsPath } from '@postloop/contracts';
import { formatRow } from '@postloop/csv-dialect';
import { type Database, type ImportRow, markFiled } from '@postloop/db';
import type { SftpSession } from '@postloop/sftp';

/** Lays the file where it stays, `done/` or `failed/`, with an error file when it failed. Safe to repeat. */
export async function fileAway({ db, sftp }: { db: Database; sftp: SftpSession }, row: ImportRow): Promise<void> {
  const paths = inboxPaths(row.clientDirectory, row.directory);
  if (row.status === 'failed' && row.faults)
    await sftp.putAtomic(`${logsPath(row.clientDirectory)}/${row.fileName}.error.csv`, errorFile(row.faults), {
      replace: true,
    });
  const target = `${row.status === 'failed' ? paths.failed : paths.done}/${row.fileName}`;
  // From done/ when the start failed after the import.
  for (const directory of [paths.processing, paths.done]) {
    const source = `${directory}/${row.fileName}`;
    if (source !== target && (await sftp.stat(source))) await moveOver(sftp, source, target);
  }
  await markFiled(db.pool, row.id);
}

/** A file of this name that lies there is the same one, or one that was corrected since. */
async function moveOver(sftp: SftpSession, source: string, target: string): Promise<void> {
  if (await sftp.stat(target)) await sftp.remove(target);
  await sftp.rename(source, target);
}

/** `<name>.error.csv` (spec 6). */
export function errorFile(faults: readonly FileFault[]): Buffer {
  const rows = faults.map(({ line, column, code, message, remedy }) => [
    line?.toString() ?? null,
    column?.toString() ?? null,
    code,
    message,
    remedy,
  ]);
  return Buffer.from([['line', 'column', 'code', 'message', 'remedy'], ...rows].map(formatRow).join(''));
}
