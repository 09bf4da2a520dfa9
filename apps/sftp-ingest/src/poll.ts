import {
  type ClientSettings,
  clientDirectories,
  type InboxPaths,
  inboxDirectories,
  inboxPaths,
  inboxPatterns,
  isInboxFileName,
  readInboxOrder,
} from '@postloop/contracts';
import {
  type Database,
  deleteClaim,
  type InboxDirectory,
  insertClaim,
  markClaimed,
  selectClientDirectory,
  selectClientSettings,
  selectHalts,
  selectUnfinishedClaims,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { describeSpan, killPoint, type Logger, traceparent, withSpan } from '@postloop/service-kit';
import { type RemoteFile, SftpAlreadyExists, SftpNotFound, type SftpSession } from '@postloop/sftp';
import type { ForeignNames } from './foreign-names.js';

export interface PollContext {
  db: Database;
  producer: Producer;
  log: Logger;
  /** A session of the client's account. */
  connect: (client: { sftpAccount: string | null }) => Promise<SftpSession>;
  stillnessMs: number;
  foreign: ForeignNames;
}

type Poll = Omit<PollContext, 'connect'> & { sftp: SftpSession };

/**
 * Looks at the inboxes of a client and takes at most one file from each: an order before others, then the first by name that
 * stands still. The claim stands in PostgreSQL before the rename and is confirmed after it; a poller that dies in between
 * leaves a claim that the next poll finishes. Of many pollers one wins: a directory has one claim at a time.
 */
export async function pollClient(context: PollContext, clientId: bigint): Promise<void> {
  const { db } = context;
  const client = await selectClientDirectory(db.pool, clientId);
  if (!client) return;
  const settings = await selectClientSettings(db.pool, clientId);
  const unfinished = await selectUnfinishedClaims(db.pool, clientId);
  if (!settings.modules.import && unfinished.length === 0) return;
  await using sftp = await context.connect(client);
  const poll = { ...context, sftp };
  await sftp.makeDirectories(clientDirectories(client.directory));
  for (const { id, directory, fileName } of unfinished)
    await takeTraced(poll, id, inboxPaths(client.directory, directory), fileName);
  if (!settings.modules.import) return;
  const inboxes = await describeInboxes(db, { id: clientId, directory: client.directory }, settings);
  for (const { inbox, file } of await listStillFiles(poll, inboxes)) await claim(poll, inbox, file);
}

interface Inbox {
  clientId: bigint;
  directory: InboxDirectory;
  paths: InboxPaths;
  /** Names of files that it takes. */
  patterns: string[];
  /** Only orders are taken. */
  halted: boolean;
  contentOnce: boolean;
}

async function describeInboxes(
  db: Database,
  client: { id: bigint; directory: string },
  { files }: ClientSettings,
): Promise<Inbox[]> {
  const halts = await selectHalts(db.pool, client.id);
  return inboxDirectories.map((directory) => ({
    clientId: client.id,
    directory,
    paths: inboxPaths(client.directory, directory),
    patterns: inboxPatterns(directory, files),
    halted: halts.some((halt) => halt.directory === directory),
    // Product data of today may be those of yesterday.
    contentOnce: directory !== 'products' && files.sameContent[directory] === 'reject',
  }));
}

/** The first file to take of each inbox that did not change between two looks. */
async function listStillFiles(poll: Poll, inboxes: Inbox[]): Promise<{ inbox: Inbox; file: RemoteFile }[]> {
  const first = await Promise.all(inboxes.map((inbox) => listFiles(poll, inbox)));
  if (first.every((files) => files.length === 0)) return [];
  await new Promise((resolve) => setTimeout(resolve, poll.stillnessMs));
  const second = await Promise.all(inboxes.map((inbox) => listFiles(poll, inbox)));
  return inboxes.flatMap((inbox, index) => {
    const before = new Map(first[index]?.map((file) => [file.name, file]));
    const file = second[index]?.find(({ name, size, modifiedAt }) => {
      const earlier = before.get(name);
      return earlier?.size === size && earlier.modifiedAt.getTime() === modifiedAt.getTime();
    });
    return file ? [{ inbox, file }] : [];
  });
}

/** What may be taken, in its order. */
async function listFiles({ sftp, log, foreign }: Poll, { paths, patterns, halted }: Inbox): Promise<RemoteFile[]> {
  const files = (await sftp.list(paths.inbox)).filter((file) => !file.isDirectory);
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const orders = files.filter(({ name }) => readInboxOrder(name));
  const uploads = files.filter(({ name }) => patterns.some((pattern) => isInboxFileName(pattern, name)));
  const taken = new Set([...orders, ...uploads]);
  const others = files.filter((file) => !taken.has(file)).map(({ name }) => name);
  for (const name of foreign.news(paths.inbox, others))
    log.info({ path: `${paths.inbox}/${name}` }, `left alone: in transit, or none of ${patterns.join(', ')}`);
  return halted ? orders : [...orders, ...uploads.filter(({ name }) => !readInboxOrder(name))];
}

async function claim(poll: Poll, { clientId, directory, paths, contentOnce }: Inbox, file: RemoteFile): Promise<void> {
  const importId = await insertClaim(poll.db, {
    clientId,
    directory,
    fileName: file.name,
    size: BigInt(file.size),
    modifiedAt: file.modifiedAt,
    contentOnce,
    order: readInboxOrder(file.name) !== undefined,
  });
  if (importId === null) return; // one file at a time: its importer asks for the next poll
  killPoint('ingest.after-claim');
  await takeTraced(poll, importId, paths, file.name);
}

/** A file's trace begins here, whatever led to the poll: the file before it, most often, which has a trace of its own. */
function takeTraced(poll: Poll, importId: bigint, paths: InboxPaths, fileName: string): Promise<void> {
  const attributes = { 'postloop.import': importId };
  return withSpan('file.claim', { newTrace: true, attributes }, () => take(poll, importId, paths, fileName));
}

/** Finishes a claim. The rename may have happened before: by a poller that died, or with an answer that was lost. */
async function take(
  { db, sftp, producer, log }: Poll,
  importId: bigint,
  paths: InboxPaths,
  fileName: string,
): Promise<void> {
  const ids = { importId, fileName };
  if (!(await bringIn(sftp, paths, fileName))) {
    await deleteClaim(db.pool, importId);
    describeSpan({ 'postloop.outcome': 'gone' });
    log.info(ids, 'the file was gone before it could be taken');
    return;
  }
  killPoint('ingest.after-rename');
  await markClaimed(db.pool, importId, traceparent());
  log.info(ids, 'file claimed');
  await producer.enqueue('fileImport', { v: 1, importId });
}

/** Moves the file to `processing/`, unless it lies there. @returns false when it is gone; other errors leave it to the next poll */
async function bringIn(sftp: SftpSession, { inbox, processing }: InboxPaths, fileName: string): Promise<boolean> {
  const target = `${processing}/${fileName}`;
  if (await sftp.stat(target)) return true;
  try {
    await sftp.rename(`${inbox}/${fileName}`, target);
    return true;
  } catch (error) {
    if (!(error instanceof SftpNotFound || error instanceof SftpAlreadyExists)) throw error;
    // Another poller, which finishes the same claim, may have been faster.
    return (await sftp.stat(target)) !== null;
  }
}
