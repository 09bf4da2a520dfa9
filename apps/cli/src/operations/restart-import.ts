import { createReadStream } from 'node:fs';
import { type InboxOrder, inboxPaths } from '@postloop/contracts';
import {
  type Database,
  type ImportSummary,
  type Restarted,
  type RestartRefusal,
  restartFailedImport,
  selectImportSummary,
  skipImport,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { Connections } from '../connections.js';
import { Problem } from '../support/problem.js';

interface Opened {
  db: Database;
  producer: Producer;
}

/** Restarts a failed import (spec 5) and lifts the halt of its directory. @throws Problem when there is nothing to restart */
export async function restart(
  { db, producer }: Opened,
  id: bigint,
  { dryRun }: { dryRun: boolean },
): Promise<Restarted> {
  const row = await requireFailed(db, id);
  if (dryRun) return row.accepted ? 'start' : 'upload';
  const outcome = await restartFailedImport(db, id);
  if ('refused' in outcome) throw refusal(row, outcome.refused);
  await producer.enqueue('fileImport', { v: 1, importId: id });
  return outcome.restarted;
}

/**
 * The same with corrected rows: uploads them as a customer would, as `<name>.restart`, and asks for a poll.
 * @returns the path of the order @throws Problem
 */
export async function orderRestart(
  { db, producer, sftp }: Connections,
  id: bigint,
  rows: string,
  { dryRun }: { dryRun: boolean },
): Promise<string> {
  const row = await requireFailed(db, id);
  const order: InboxOrder = 'restart';
  const path = `${inboxPaths(row.clientDirectory, row.directory).inbox}/${row.fileName}.${order}`;
  if (dryRun) return path;
  await (await sftp(row)).putAtomic(path, createReadStream(rows));
  await producer.enqueue('inboxPoll', { v: 1, clientId: row.clientId });
  return path;
}

/** Gives a failed import up: its directory goes on. @throws Problem when no directory stopped for it */
export async function skip(
  { db, producer }: Opened,
  id: bigint,
  { dryRun }: { dryRun: boolean },
): Promise<ImportSummary> {
  const row = await requireFailed(db, id);
  if (dryRun) return row;
  if (!(await db.transaction((sql) => skipImport(sql, id))))
    throw new Problem(`no directory stopped for import ${id}`, 'See `postloop import halted`.');
  await producer.enqueue('inboxPoll', { v: 1, clientId: row.clientId });
  return row;
}

export async function requireImport({ pool }: Database, id: bigint): Promise<ImportSummary> {
  const row = await selectImportSummary(pool, id);
  if (!row) throw new Problem(`there is no import ${id}`, 'See `postloop import list`.');
  return row;
}

async function requireFailed(db: Database, id: bigint): Promise<ImportSummary> {
  const row = await requireImport(db, id);
  if (row.status === 'failed') return row;
  throw refusal(row, 'not_failed');
}

function refusal({ id, status, fileName, directory }: ImportSummary, refused: RestartRefusal): Problem {
  switch (refused) {
    case 'filing':
      return new Problem(`the file of import ${id} is being filed away`, 'Try again in a few seconds.');
    case 'busy':
      return new Problem(`another file of ${directory}/ is being imported`, 'Try again when its import has ended.');
    case 'superseded':
      return new Problem(
        `a newer file ${fileName} took its place in failed/`,
        'Restart the newest import of that name: see `postloop import list`.',
      );
    default:
      return new Problem(
        `import ${id} is ${status}`,
        'Only a failed import can be restarted; an open one goes on by itself.',
      );
  }
}
