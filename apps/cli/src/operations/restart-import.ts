import { inboxPaths } from '@postloop/contracts';
import { type Database, type ImportSummary, reviveImport, selectImportSummary } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { SftpAlreadyExists, SftpNotFound, type SftpSession } from '@postloop/sftp';
import { Problem } from '../support/problem.js';

export interface Restarted {
  /** `upload`: nothing was stored, the file is read anew. `start`: the rows are stored, the mailings are built anew. */
  restarted: 'upload' | 'start';
  /** Where the file lies then. */
  path: string;
}

/** Restarts a failed import (spec 5). Safe to repeat. @throws Problem when there is nothing to restart */
export async function restartImport(
  opened: { db: Database; producer: Producer; sftp: SftpSession },
  id: bigint,
  { dryRun }: { dryRun: boolean },
): Promise<Restarted> {
  const row = await requireImport(opened.db, id);
  if (row.status !== 'failed')
    throw new Problem(
      `import ${id} is ${row.status}`,
      'Only a failed import can be restarted; an open one goes on by itself.',
    );
  if (!row.filed) throw new Problem(`the file of import ${id} is being filed away`, 'Try again in a few seconds.');
  return row.accepted ? restartStart(opened, row, dryRun) : restartUpload(opened, row, dryRun);
}

export async function requireImport({ pool }: Database, id: bigint): Promise<ImportSummary> {
  const row = await selectImportSummary(pool, id);
  if (!row) throw new Problem(`there is no import ${id}`, 'See `postloop import list`.');
  return row;
}

async function restartUpload(
  { producer, sftp }: { producer: Producer; sftp: SftpSession },
  row: ImportSummary,
  dryRun: boolean,
): Promise<Restarted> {
  const { inbox, failed } = inboxPaths(row.clientDirectory, row.directory);
  const path = `${inbox}/${row.fileName}`;
  if (!dryRun) {
    await moveBack(sftp, `${failed}/${row.fileName}`, path);
    await producer.enqueue('inboxPoll', { v: 1, clientId: row.clientId });
  }
  return { restarted: 'upload', path };
}

async function moveBack(sftp: SftpSession, from: string, to: string): Promise<void> {
  try {
    await sftp.rename(from, to);
  } catch (error) {
    if (error instanceof SftpNotFound)
      throw new Problem(`${from} is gone`, 'Somebody took it away: upload the file again.', 1, { cause: error });
    if (error instanceof SftpAlreadyExists)
      throw new Problem(`${to} is there already`, 'It is taken with the next poll: nothing to restart.', 1, {
        cause: error,
      });
    throw error;
  }
}

/** The file moves first: should this end in between, a second try finds it in place. */
async function restartStart(
  { db, producer, sftp }: { db: Database; producer: Producer; sftp: SftpSession },
  row: ImportSummary,
  dryRun: boolean,
): Promise<Restarted> {
  const { done, failed } = inboxPaths(row.clientDirectory, row.directory);
  const path = `${done}/${row.fileName}`;
  if (dryRun) return { restarted: 'start', path };
  const source = `${failed}/${row.fileName}`;
  if ((await sftp.stat(source)) && !(await sftp.stat(path))) await sftp.rename(source, path);
  if (!(await reviveImport(db, row.id)))
    throw new Problem(`import ${row.id} changed meanwhile`, `Look at it with \`postloop import show ${row.id}\`.`);
  await producer.enqueue('mailingBuild', { v: 1, importId: row.id });
  return { restarted: 'start', path };
}
