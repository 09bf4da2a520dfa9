import { FileRejected, inboxPaths } from '@postloop/contracts';
import { type Database, deleteCorrections, type ImportRow, markFiled, selectClientSettings } from '@postloop/db';
import type { SftpSession } from '@postloop/sftp';
import { removeErrorFiles, writeErrorFiles } from './error-file.js';

interface Filing {
  db: Database;
  sftp: SftpSession;
}

/** Brings the claimed file to `processing/`: after a restart it still lies in `failed/`. @returns its path @throws FileRejected */
export async function fetchFile(sftp: SftpSession, row: ImportRow): Promise<string> {
  const { processing } = inboxPaths(row.clientDirectory, row.directory);
  const path = `${processing}/${row.fileName}`;
  const found = await findFile(sftp, row);
  if (found === null)
    throw new FileRejected([
      {
        code: 'file_gone',
        line: null,
        column: null,
        message: 'the file is gone from the SFTP server.',
        remedy: `Upload it again, and give this one up with an empty file ${row.fileName}.skip.`,
      },
    ]);
  if (found !== path) await sftp.rename(found, path);
  return path;
}

/**
 * Lays the file where it stays, `done/` or `failed/`, with error files when it failed and the client wants them. Safe to
 * repeat.
 */
export async function fileAway({ db, sftp }: Filing, row: ImportRow): Promise<void> {
  const { done, failed } = inboxPaths(row.clientDirectory, row.directory);
  const target = `${row.status === 'failed' ? failed : done}/${row.fileName}`;
  const path = await findFile(sftp, row);
  if (row.status === 'failed') await tellFaults({ db, sftp }, row, path ?? ((await sftp.stat(target)) && target));
  else if (row.restartedAt) {
    await removeErrorFiles(sftp, row);
    await deleteCorrections(db.pool, row.id);
  }
  if (path !== null && path !== target) await moveOver(sftp, path, target);
  await markFiled(db.pool, row.id);
}

async function tellFaults({ db, sftp }: Filing, row: ImportRow, path: string | null): Promise<void> {
  const { onError } = await selectClientSettings(db.pool, row.clientId);
  if (row.faults && onError.errorFile) await writeErrorFiles({ sql: db.pool, sftp }, row, path);
}

/**
 * Where this import's file lies. In `done/` only if its rows are stored, and in `failed/` only if it failed before: a file of the
 * same name there is otherwise another import's.
 */
async function findFile(sftp: SftpSession, row: ImportRow): Promise<string | null> {
  const { processing, done, failed } = inboxPaths(row.clientDirectory, row.directory);
  const directories = [processing, ...(row.accepted ? [done] : []), ...(row.restartedAt ? [failed] : [])];
  for (const directory of directories) {
    const path = `${directory}/${row.fileName}`;
    if (await sftp.stat(path)) return path;
  }
  return null;
}

/** A file of this name that lies there is the same one, or one that was corrected since. */
async function moveOver(sftp: SftpSession, source: string, target: string): Promise<void> {
  if (await sftp.stat(target)) await sftp.remove(target);
  await sftp.rename(source, target);
}
