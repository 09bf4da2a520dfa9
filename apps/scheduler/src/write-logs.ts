import { type Clock, describeError, logsPath } from '@postloop/contracts';
import {
  type Database,
  type JournalEntry,
  type LoggedClient,
  markLogged,
  type Sql,
  selectClientsToLog,
  selectEntriesToLog,
  selectImportsOfName,
  selectJournalOfDay,
  selectJournalOfImport,
  selectUnsentRows,
  withDeliveries,
  withTurn,
} from '@postloop/db';
import { killPoint, type Logger } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { dayLog, fileLog, type ImportLog } from './log-text.js';
import type { Metrics } from './metrics.js';
import { type Connect, SftpSessions } from './sftp-sessions.js';

export interface LogDeps {
  db: Database;
  connect: Connect;
  clock: Clock;
  log: Pick<Logger, 'warn'>;
  metrics: Metrics;
  /** Clients whose server did not take their files, and when they are tried again. */
  pausedUntil: Map<bigint, Date>;
}

/** Entries of one round and client. */
const PAGE = 1_000;
/** Rows and imports that one log tells. */
const ROWS = 1_000;
const IMPORTS = 20;
const PAUSE_MS = 60_000;

/**
 * Makes the log files anew that lack something of the journal: of a day and of a file, whole, and replaces them in one step.
 * What they hold is marked afterwards, so a scheduler that dies in between leaves work that the next round repeats.
 */
export async function writeLogs(deps: LogDeps): Promise<void> {
  const { db, clock, log, pausedUntil } = deps;
  const now = clock.now();
  const clients = (await selectClientsToLog(db.pool)).filter(({ id }) => !(now < (pausedUntil.get(id) ?? now)));
  if (clients.length === 0) return;
  await using sessions = new SftpSessions(deps.connect);
  for (const client of clients) {
    try {
      // Two writers would meet in one temporary file.
      await withTurn(db, `logs ${client.id}`, async (sql) =>
        writeLogsOf(deps, sql, client, await sessions.of(client.sftpAccount)),
      );
      pausedUntil.delete(client.id);
    } catch (error) {
      deps.metrics.logFiles.inc({ outcome: 'failed' });
      pausedUntil.set(client.id, new Date(now.getTime() + PAUSE_MS));
      log.warn(
        { clientId: client.id, error: describeError(error) },
        'log files could not be written; tried again in a minute',
      );
    }
  }
}

async function writeLogsOf({ metrics }: LogDeps, sql: Sql, client: LoggedClient, sftp: SftpSession): Promise<void> {
  const entries = await selectEntriesToLog(sql, client.id, PAGE);
  if (entries.length === 0) return;
  const directory = logsPath(client.directory);
  await sftp.makeDirectories([directory]);
  const put = async (name: string, text: Buffer) => {
    await sftp.putAtomic(`${directory}/${name}`, text, { replace: true });
    metrics.logFiles.inc({ outcome: 'written' });
  };
  for (const day of new Set(entries.map(({ localTime }) => localTime.slice(0, 10)))) {
    const ofDay = await countAll(sql, await selectJournalOfDay(sql, client.id, day));
    await put(`${day.replaceAll('-', '')}_postloop.log`, dayLog(client, day, ofDay));
  }
  killPoint('scheduler.between-logs');
  for (const fileName of new Set(entries.flatMap(fileNameOf)))
    await put(`${fileName}.log`, fileLog(client, fileName, await selectImportLogs(sql, client.id, fileName)));
  await markLogged(
    sql,
    entries.map(({ id }) => id),
  );
}

/** Exports are in the log of the day alone. */
function fileNameOf(entry: JournalEntry): string[] {
  return 'fileName' in entry.facts ? [entry.facts.fileName] : [];
}

async function selectImportLogs(sql: Sql, clientId: bigint, fileName: string): Promise<ImportLog[]> {
  const logs: ImportLog[] = [];
  for (const run of await selectImportsOfName(sql, clientId, fileName, IMPORTS)) {
    const entries = await countAll(sql, await selectJournalOfImport(sql, run.id));
    const unsentCount = Math.max(0, ...entries.map(unsentOf));
    const unsent = unsentCount > 0 ? await selectUnsentRows(sql, run.id, ROWS) : [];
    logs.push({ run, entries, unsent, unsentCount });
  }
  return logs.reverse();
}

function unsentOf({ facts }: JournalEntry): number {
  return 'invalid' in facts ? facts.invalid + facts.duplicate + facts.suppressed : 0;
}

async function countAll(sql: Sql, entries: readonly JournalEntry[]): Promise<JournalEntry[]> {
  const counted: JournalEntry[] = [];
  for (const entry of entries) counted.push(await withDeliveries(sql, entry));
  return counted;
}
