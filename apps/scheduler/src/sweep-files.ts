import {
  type Clock,
  clientSettings,
  describeError,
  exportPath,
  inboxDirectories,
  inboxPaths,
  logsPath,
} from '@postloop/contracts';
import {
  claimSweep,
  type Database,
  deleteJournal,
  type SweptClient,
  selectKnownExportFiles,
  selectKnownUploads,
  setSweepDue,
} from '@postloop/db';
import type { Logger } from '@postloop/service-kit';
import { SftpNotFound, type SftpSession } from '@postloop/sftp';
import type { Metrics } from './metrics.js';
import { isDayLog, publishedName, uploadOfLog } from './own-names.js';
import { type Connect, SftpSessions } from './sftp-sessions.js';

export interface SweepDeps {
  db: Database;
  connect: Connect;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn'>;
  metrics: Metrics;
}

const DAY_MS = 86_400_000;
/** After this a client whose server was away, or whose scheduler died, is tried again. */
const RETRY_MS = 10 * 60_000;

/**
 * Removes, once a day and client, files on the SFTP server that are older than the client's `retention.fileDays`: those whose
 * names are Postloop's own or stand in the database, and nothing else. Then the journal that they told. Safe to repeat.
 */
export async function sweepFiles(deps: SweepDeps): Promise<void> {
  const { db, clock, log } = deps;
  await using sessions = new SftpSessions(deps.connect);
  for (;;) {
    const now = clock.now();
    const client = await claimSweep(db.pool, now, new Date(now.getTime() + RETRY_MS));
    if (!client) return;
    try {
      await sweepClient(deps, client, await sessions.of(client.sftpAccount), now);
      await setSweepDue(db.pool, client.id, new Date(now.getTime() + DAY_MS));
    } catch (error) {
      log.warn(
        { clientId: client.id, error: describeError(error) },
        'old files could not be removed; tried again later',
      );
    }
  }
}

async function sweepClient(deps: SweepDeps, client: SweptClient, sftp: SftpSession, now: Date): Promise<void> {
  const { fileDays } = clientSettings.parse(client.settings).retention;
  const before = new Date(now.getTime() - fileDays * DAY_MS);
  for (const { path, label, ownOf } of placesOf(deps.db, client, before)) {
    const old = await listOldFiles(sftp, path, before);
    if (old.length === 0) continue;
    const own = await ownOf(old);
    for (const name of old.filter((one) => own.has(one))) await remove(sftp, `${path}/${name}`);
    deps.metrics.removedFiles.inc({ directory: label }, own.size);
    if (own.size > 0) deps.log.info({ clientId: client.id, path, files: own.size }, 'old files removed');
  }
  await deleteJournal(deps.db.pool, client.id, before);
}

interface Place {
  path: string;
  /** In the metric. */
  label: string;
  /** Which of the names are Postloop's to remove. */
  ownOf: (names: string[]) => Promise<Set<string>>;
}

function placesOf(db: Database, { id, directory }: SweptClient, before: Date): Place[] {
  return [
    {
      path: logsPath(directory),
      label: 'logs',
      async ownOf(names) {
        const uploads = names.flatMap((name) => uploadOfLog(publishedName(name)) ?? []);
        const known = new Set((await selectKnownUploads(db.pool, id, uploads)).map(({ fileName }) => fileName));
        return keep(names, (name) => isDayLog(name) || known.has(uploadOfLog(name) ?? ''));
      },
    },
    {
      path: exportPath(directory),
      label: 'export',
      async ownOf(names) {
        const known = new Set(await selectKnownExportFiles(db.pool, id, names.map(publishedName)));
        return keep(names, (name) => known.has(name));
      },
    },
    ...inboxDirectories.flatMap((inbox) => {
      const { done, failed } = inboxPaths(directory, inbox);
      return [done, failed].map((path) => ({
        path,
        label: inbox,
        async ownOf(names: string[]) {
          const known = await selectKnownUploads(db.pool, id, names);
          // An upload may bring an old time along: it stays for its days after it was dealt with.
          const over = known.filter((one) => one.directory === inbox && one.changedAt < before);
          const own = new Set(over.map(({ fileName }) => fileName));
          return new Set(names.filter((name) => own.has(name)));
        },
      }));
    }),
  ];
}

/** The names that are own ones, also under the temporary name of an upload that broke off. */
function keep(names: readonly string[], isOwn: (name: string) => boolean): Set<string> {
  return new Set(names.filter((name) => isOwn(publishedName(name))));
}

async function listOldFiles(sftp: SftpSession, path: string, before: Date): Promise<string[]> {
  try {
    const files = await sftp.list(path);
    return files.filter((file) => !file.isDirectory && file.modifiedAt < before).map(({ name }) => name);
  } catch (error) {
    if (error instanceof SftpNotFound) return [];
    throw error;
  }
}

async function remove(sftp: SftpSession, path: string): Promise<void> {
  await sftp.remove(path).catch((error: unknown) => {
    if (!(error instanceof SftpNotFound)) throw error;
  });
}
