import { clientDirectories, type InboxPaths, inboxPaths } from '@postloop/contracts';
import {
  type Database,
  deleteClaim,
  type InboxDirectory,
  insertClaim,
  markClaimed,
  selectClientDirectory,
  selectUnfinishedClaim,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { describeSpan, type Logger, traceparent, withSpan } from '@postloop/service-kit';
import { type RemoteFile, SftpNotFound, type SftpSession } from '@postloop/sftp';
import { isRecipientFileName } from './file-name.js';

export interface PollContext {
  db: Database;
  producer: Producer;
  log: Logger;
  sftp: SftpSession;
  stillnessMs: number;
  /** Names that were reported as foreign; they are reported once. */
  reported: Set<string>;
}

const DIRECTORIES: InboxDirectory[] = ['import', 'test'];

/**
 * Looks at the inboxes of a client and takes at most one file from each: the first by name that stands still. The claim
 * stands in PostgreSQL before the rename and is confirmed after it; a poller that dies in between leaves a claim that the
 * next poll finishes. Of many pollers one wins: a directory has one claim at a time.
 */
export async function pollClient(context: PollContext, clientId: bigint): Promise<void> {
  const { db, sftp } = context;
  const client = await selectClientDirectory(db.pool, clientId);
  if (!client) return;
  await sftp.makeDirectories(clientDirectories(client.directory));
  const inboxes = DIRECTORIES.map((directory) => ({
    clientId,
    directory,
    paths: inboxPaths(client.directory, directory),
  }));
  for (const inbox of inboxes) await finishClaim(context, inbox);
  for (const { inbox, file } of await listStillFiles(context, inboxes)) await claim(context, inbox, file);
}

interface Inbox {
  clientId: bigint;
  directory: InboxDirectory;
  paths: InboxPaths;
}

/** The first recipient file of each inbox that did not change between two looks. */
async function listStillFiles(context: PollContext, inboxes: Inbox[]): Promise<{ inbox: Inbox; file: RemoteFile }[]> {
  const first = await Promise.all(inboxes.map((inbox) => listRecipientFiles(context, inbox)));
  if (first.every((files) => files.length === 0)) return [];
  await new Promise((resolve) => setTimeout(resolve, context.stillnessMs));
  const second = await Promise.all(inboxes.map((inbox) => listRecipientFiles(context, inbox)));
  return inboxes.flatMap((inbox, index) => {
    const before = new Map(first[index]?.map((file) => [file.name, file]));
    const file = second[index]?.find(({ name, size, modifiedAt }) => {
      const earlier = before.get(name);
      return earlier?.size === size && earlier.modifiedAt.getTime() === modifiedAt.getTime();
    });
    return file ? [{ inbox, file }] : [];
  });
}

async function listRecipientFiles({ sftp, log, reported }: PollContext, { paths }: Inbox): Promise<RemoteFile[]> {
  const files = (await sftp.list(paths.inbox)).filter((file) => !file.isDirectory);
  for (const { name } of files) {
    const path = `${paths.inbox}/${name}`;
    if (isRecipientFileName(name) || reported.has(path)) continue;
    reported.add(path);
    log.info({ path }, 'left alone: in transit, or not a recipient file (YYYYMMDDHHMMSS_subscribers.csv)');
  }
  return files.filter(({ name }) => isRecipientFileName(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function claim(context: PollContext, inbox: Inbox, file: RemoteFile): Promise<void> {
  const { clientId, directory, paths } = inbox;
  const importId = await insertClaim(context.db.pool, {
    clientId,
    directory,
    fileName: file.name,
    size: BigInt(file.size),
    modifiedAt: file.modifiedAt,
  });
  if (importId === null) return; // one file at a time: its importer asks for the next poll
  await takeTraced(context, importId, paths, file.name);
}

/** Finishes what an earlier poll began: the rename may or may not have happened. */
async function finishClaim(context: PollContext, { clientId, directory, paths }: Inbox): Promise<void> {
  const open = await selectUnfinishedClaim(context.db.pool, clientId, directory);
  if (open) await takeTraced(context, open.id, paths, open.fileName);
}

/** A file's trace begins here, whatever led to the poll: the file before it, most often, which has a trace of its own. */
function takeTraced(context: PollContext, importId: bigint, paths: InboxPaths, fileName: string): Promise<void> {
  const attributes = { 'postloop.import': importId };
  return withSpan('file.claim', { newTrace: true, attributes }, () => take(context, importId, paths, fileName));
}

async function take(
  { db, sftp, producer, log }: PollContext,
  importId: bigint,
  paths: InboxPaths,
  fileName: string,
): Promise<void> {
  const ids = { importId, fileName };
  if (!(await sftp.stat(`${paths.processing}/${fileName}`))) {
    try {
      await sftp.rename(`${paths.inbox}/${fileName}`, `${paths.processing}/${fileName}`);
    } catch (error) {
      if (!(error instanceof SftpNotFound)) throw error; // the claim stays; the next poll looks again
      await deleteClaim(db.pool, importId);
      describeSpan({ 'postloop.outcome': 'gone' });
      log.info(ids, 'the file was gone before it could be taken');
      return;
    }
  }
  await markClaimed(db.pool, importId, traceparent());
  log.info(ids, 'file claimed');
  await producer.enqueue('fileImport', { v: 1, importId });
}
