import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { exportPath, inboxDirectories, inboxPaths, logsPath } from '@postloop/contracts';
import { type ClientSummary, type Database, type ExportRun, selectExports } from '@postloop/db';
import { SftpNotFound, type SftpSession } from '@postloop/sftp';
import {
  type Finder,
  finderOf,
  isWellFormed,
  mentions,
  withoutLines,
  withoutRawRows,
  withoutRecords,
} from './erase-text.js';

/** What was found on a client's server, by path. */
export interface ErasedFiles {
  /** Made anew without the person. */
  rewritten: string[];
  /** Runs whose response files hold the address: to be written once more from the database. */
  runs: ExportRun[];
  /** Left alone: uploads on their way in, and files that Postloop did not write. */
  left: string[];
}

const MAX_LOG = 64 << 20;

/** Goes through all files of a client's directories; only those that hold the address are touched. Safe to repeat. */
export async function eraseFiles(
  { pool }: Database,
  sftp: SftpSession,
  client: Pick<ClientSummary, 'id' | 'directory'>,
  address: string,
): Promise<ErasedFiles> {
  const found: ErasedFiles = { rewritten: [], runs: [], left: [] };
  const finder = finderOf(address);
  const holding = (directory: string, gzipped = false) => listHolding(sftp, directory, address, gzipped);
  for (const inbox of inboxDirectories) {
    const paths = inboxPaths(client.directory, inbox);
    for (const path of [...(await holding(paths.done)), ...(await holding(paths.failed))]) {
      await rewriteRows(sftp, path, finder);
      found.rewritten.push(path);
    }
    found.left.push(...(await holding(paths.inbox)), ...(await holding(paths.processing)));
  }
  for (const path of await holding(logsPath(client.directory))) {
    await rewriteLog(sftp, path, finder);
    found.rewritten.push(path);
  }
  const runs = await selectExports(pool, client.id);
  for (const path of await holding(exportPath(client.directory), true)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const run = runs.findLast(({ files }) => files.some((file) => file.name === name));
    if (!run) found.left.push(path);
    else if (!found.runs.includes(run)) found.runs.push(run);
  }
  return found;
}

async function listHolding(sftp: SftpSession, directory: string, address: string, gzipped: boolean): Promise<string[]> {
  const holding: string[] = [];
  for (const { name, isDirectory } of await listOrNone(sftp, directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) continue;
    const bytes = sftp.openRead(path);
    const content = gzipped && name.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
    if (await mentions(content, address)) holding.push(path);
  }
  return holding.sort();
}

async function listOrNone(sftp: SftpSession, directory: string) {
  try {
    return await sftp.list(directory);
  } catch (error) {
    if (error instanceof SftpNotFound) return [];
    throw error;
  }
}

async function rewriteRows(sftp: SftpSession, path: string, finder: Finder): Promise<void> {
  const without = (await isWellFormed(sftp.openRead(path))) ? withoutRecords : withoutLines;
  await replace(sftp, path, Readable.from(without(sftp.openRead(path), finder), { objectMode: false }));
}

/** Error files quote whole rows; the other logs say what happened. */
async function rewriteLog(sftp: SftpSession, path: string, finder: Finder): Promise<void> {
  if (path.endsWith('.error.csv')) return rewriteRows(sftp, path, finder);
  const text = (await sftp.readAll(path, MAX_LOG)).toString();
  const clean = path.endsWith('.error.json') ? withoutRawRows(text, finder) : finder.replaced(text);
  await replace(sftp, path, Buffer.from(clean));
}

const replace = (sftp: SftpSession, path: string, source: Readable | Buffer) =>
  sftp.putAtomic(path, source, { replace: true });
