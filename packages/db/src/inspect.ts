import type { FileFault } from '@postloop/contracts';
import type { RecordedEvent } from './event.js';
import type { ExportedFile } from './export.js';
import type { ImportStatus, InboxDirectory } from './import.js';
import type { MailingStatus } from './mailing.js';
import { loadSql, type Sql, select, selectOptional } from './sql.js';

// Reads for people who look: the command line, the console. Nothing on the way of a mail asks for them.

export interface ImportSummary {
  id: bigint;
  clientId: bigint;
  clientName: string;
  clientDirectory: string;
  /** Null: the one for all. */
  sftpAccount: string | null;
  directory: InboxDirectory;
  fileName: string;
  /** Bytes. */
  size: bigint;
  status: ImportStatus;
  /** Its rows are stored: the file is in the ledger. */
  accepted: boolean;
  filed: boolean;
  rows: bigint;
  blankLines: bigint;
  queued: bigint;
  suppressed: bigint;
  invalid: bigint;
  duplicate: bigint;
  faults: FileFault[] | null;
  createdAt: Date;
  changedAt: Date;
}

const IMPORTS = loadSql(import.meta.url, 'inspect-imports.sql');

/** The newest first; all clients' when `clientId` is null. */
export function selectImportSummaries(sql: Sql, clientId: bigint | null, limit: number): Promise<ImportSummary[]> {
  return select(sql, IMPORTS, [clientId, null, limit]);
}

export function selectImportSummary(sql: Sql, id: bigint): Promise<ImportSummary | undefined> {
  return selectOptional(sql, IMPORTS, [null, id, 1]);
}

export interface MailingSummary {
  id: bigint;
  clientId: bigint;
  clientName: string;
  importId: bigint;
  fileName: string;
  sourceMailingId: bigint;
  campaignId: bigint;
  recipientListId: bigint;
  name: string;
  test: boolean;
  status: MailingStatus;
  /** Those that were queued when it started. */
  recipients: bigint;
  /** Recipients of batches that are done. */
  done: bigint;
  createdAt: Date;
  /** When it is to start; null: at once. */
  sendAt: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

const MAILINGS = loadSql(import.meta.url, 'inspect-mailings.sql');

/** The newest first; all when `clientId` is null. */
export function selectMailingSummaries(sql: Sql, clientId: bigint | null, limit: number): Promise<MailingSummary[]> {
  return select(sql, MAILINGS, [clientId, null, null, limit]);
}

export function selectMailingSummary(sql: Sql, id: bigint): Promise<MailingSummary | undefined> {
  return selectOptional(sql, MAILINGS, [null, id, null, 1]);
}

export function selectMailingsOfImport(sql: Sql, importId: bigint): Promise<MailingSummary[]> {
  return select(sql, MAILINGS, [null, null, importId, 1_000]);
}

const MAILING_STATUSES = loadSql(import.meta.url, 'inspect-mailing-statuses.sql');

/** Input rows of a mailing by status (docs/ARCHITECTURE.md). Reads all of them. */
export async function selectMailingStatusCounts(sql: Sql, mailingId: bigint): Promise<Record<string, bigint>> {
  const rows = await select<{ status: string; count: bigint }>(sql, MAILING_STATUSES, [mailingId]);
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/** Recorded events of a mailing by kind. */
export async function selectMailingEventCounts(
  sql: Sql,
  mailingId: bigint,
): Promise<Record<RecordedEvent['kind'], bigint>> {
  const rows = await select<{ kind: RecordedEvent['kind']; count: bigint }>(
    sql,
    'SELECT kind, count(*) AS count FROM event WHERE mailing_id = $1 GROUP BY 1',
    [mailingId],
  );
  return { open: 0n, click: 0n, unsubscribe: 0n, ...Object.fromEntries(rows.map(({ kind, count }) => [kind, count])) };
}

export interface ExportSummary {
  id: bigint;
  clientId: bigint;
  clientName: string;
  clientDirectory: string;
  day: string;
  runOfDay: number;
  status: 'planned' | 'done';
  files: ExportedFile[];
  createdAt: Date;
  finishedAt: Date | null;
}

/** The newest first; all clients' when `clientId` is null. */
export function selectExportSummaries(sql: Sql, clientId: bigint | null, limit: number): Promise<ExportSummary[]> {
  return select(
    sql,
    `SELECT e.id, e.client_id AS "clientId", c.name AS "clientName", c.directory AS "clientDirectory", to_char(e.day, 'YYYYMMDD') AS day,
            e.run_of_day AS "runOfDay", e.status, e.files, e.created_at AS "createdAt", e.finished_at AS "finishedAt"
       FROM export e JOIN client c ON c.id = e.client_id
      WHERE $1::bigint IS NULL OR e.client_id = $1 ORDER BY e.id DESC LIMIT $2`,
    [clientId, limit],
  );
}

/** What PostgreSQL's clock says, and which version it is. */
export async function selectServerFacts(sql: Sql): Promise<{ now: Date; version: string }> {
  const [row] = await select<{ now: Date; version: string }>(
    sql,
    `SELECT clock_timestamp() AS now, current_setting('server_version') AS version`,
  );
  if (!row) throw new Error('PostgreSQL gave no answer');
  return row;
}
