import type { FileFault, InboxDirectory } from '@postloop/contracts';
import type { DeliveryStatus } from './delivery.js';
import type { ExportedFile } from './export.js';
import { explainProblem } from './import-checks.js';
import { selectListFields } from './recipient-list.js';
import { execute, loadSql, type Sql, select, selectOptional } from './sql.js';

// What happened to a client's files and mailings. The rows are written by triggers (migration journal), in the transaction
// that changes a status; from them come the status mails and the log files (spec 6).

export type ImportKind =
  | 'import_imported'
  | 'import_empty'
  | 'import_stored'
  | 'import_ignored'
  | 'import_failed'
  | 'import_restarted'
  | 'start_failed'
  | 'restart_ordered'
  | 'skip_ordered';

export type MailingKind =
  | 'mailing_scheduled'
  | 'mailing_started'
  | 'mailing_paused'
  | 'mailing_resumed'
  | 'mailing_cancelled'
  | 'mailing_finished';

/** Counts are of rows. */
export interface ImportFacts {
  directory: InboxDirectory;
  fileName: string;
  rows: number;
  blankLines: number;
  queued: number;
  suppressed: number;
  invalid: number;
  duplicate: number;
  /** The first 20 of `faultCount`. */
  faults: FileFault[];
  faultCount: number;
  mailings: { id: string; name: string }[];
}

export interface MailingFacts {
  directory: InboxDirectory;
  fileName: string;
  name: string;
  sourceMailingId: string;
  /** The mailing that it repeats for those whose mail came back. */
  resendOf: string | null;
  /** Those that were queued when it started. */
  recipients: number;
  /** ISO time. */
  sendAt: string | null;
  /** What became of them: once it has ended, and `withDeliveries` was asked. */
  deliveries?: Partial<Record<DeliveryStatus, number>>;
}

export interface ExportFacts {
  files: Pick<ExportedFile, 'name' | 'rows'>[];
}

export interface InboxFacts {
  directory: InboxDirectory;
  /** Of the file that failed. */
  fileName: string;
}

interface EntryBase {
  id: bigint;
  clientId: bigint;
  createdAt: Date;
  /** `createdAt` in the client's zone: `YYYY-MM-DD HH:MM:SS`. */
  localTime: string;
  importId: bigint | null;
  mailingId: bigint | null;
  exportId: bigint | null;
}

export type JournalEntry = EntryBase &
  (
    | { kind: ImportKind; facts: ImportFacts }
    | { kind: MailingKind; facts: MailingFacts }
    | { kind: 'export_done'; facts: ExportFacts }
    | { kind: 'inbox_halted' | 'inbox_restarted'; facts: InboxFacts }
  );

const ENTRY = `j.id, j.client_id AS "clientId", j.kind, j.import_id AS "importId", j.mailing_id AS "mailingId", j.export_id AS "exportId",
    j.facts, j.created_at AS "createdAt", to_char(j.created_at AT TIME ZONE c.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS "localTime"`;

export interface DueNotice {
  entry: JournalEntry;
  client: { name: string; timeZone: string; settings: unknown };
  /** Who is still to be mailed; null before the first try. */
  to: string[] | null;
  /** This one included. */
  attempts: number;
}

const CLAIM_NOTICE = loadSql(import.meta.url, 'journal-claim-notice.sql');

/**
 * Takes the oldest entry whose mail is due, for `leaseMs`: another scheduler takes it when nothing was settled by then.
 * @returns undefined when none is due
 */
export async function claimNotice(sql: Sql, now: Date, leaseMs: number): Promise<DueNotice | undefined> {
  const row = await selectOptional<JournalEntry & DueNotice['client'] & Pick<DueNotice, 'to' | 'attempts'>>(
    sql,
    `WITH claimed AS (${CLAIM_NOTICE})
     SELECT ${ENTRY}, c.name, c.time_zone AS "timeZone", c.settings, j.mail_to AS "to", j.mail_attempts AS attempts
       FROM claimed j JOIN client c ON c.id = j.client_id`,
    [now, leaseMs],
  );
  if (!row) return undefined;
  const { name, timeZone, settings, to, attempts, ...entry } = row;
  return { entry, client: { name, timeZone, settings }, to, attempts };
}

/** Nobody is left to be mailed of this entry. */
export async function endNotice(sql: Sql, id: bigint, now: Date): Promise<void> {
  await sql.query(`UPDATE journal SET mail_to = '{}', mailed_at = $2 WHERE id = $1`, [id, now]);
}

/** These are still to be mailed, at that time. */
export async function putOffNotice(sql: Sql, id: bigint, to: readonly string[], dueAt: Date): Promise<void> {
  await sql.query('UPDATE journal SET mail_to = $2, mail_due_at = $3 WHERE id = $1', [id, to, dueAt]);
}

const FIX_DELIVERIES = loadSql(import.meta.url, 'journal-fix-deliveries.sql');

/**
 * The entry, with what became of the recipients when its mailing has ended. Counted once, by whoever tells it first: a
 * large mailing is not to be counted in the transaction that ends it.
 */
export async function withDeliveries(sql: Sql, entry: JournalEntry): Promise<JournalEntry> {
  if (entry.kind !== 'mailing_finished' && entry.kind !== 'mailing_cancelled') return entry;
  if (entry.facts.deliveries) return entry;
  const fixed = await selectOptional<{ facts: MailingFacts }>(sql, FIX_DELIVERIES, [entry.id]);
  return fixed ? { ...entry, facts: fixed.facts } : entry;
}

export interface LoggedClient {
  id: bigint;
  name: string;
  directory: string;
  timeZone: string;
  sftpAccount: string | null;
}

/** Clients whose log files lack an entry. */
export function selectClientsToLog(sql: Sql): Promise<LoggedClient[]> {
  return select(
    sql,
    `SELECT c.id, c.name, c.directory, c.time_zone AS "timeZone", c.sftp_account AS "sftpAccount"
       FROM client c WHERE EXISTS (SELECT 1 FROM journal j WHERE j.client_id = c.id AND NOT j.logged) ORDER BY c.id`,
  );
}

/** The oldest entries that the log files lack. */
export function selectEntriesToLog(sql: Sql, clientId: bigint, limit: number): Promise<JournalEntry[]> {
  return select(
    sql,
    `SELECT ${ENTRY} FROM journal j JOIN client c ON c.id = j.client_id
      WHERE j.client_id = $1 AND NOT j.logged ORDER BY j.created_at, j.id LIMIT $2`,
    [clientId, limit],
  );
}

/** All entries of a day (`YYYY-MM-DD`) in the client's zone. */
export function selectJournalOfDay(sql: Sql, clientId: bigint, day: string): Promise<JournalEntry[]> {
  return select(
    sql,
    `SELECT ${ENTRY} FROM journal j JOIN client c ON c.id = j.client_id
      WHERE j.client_id = $1 AND j.created_at >= $2::date::timestamp AT TIME ZONE c.time_zone
        AND j.created_at < ($2::date + 1)::timestamp AT TIME ZONE c.time_zone
      ORDER BY j.created_at, j.id`,
    [clientId, day],
  );
}

/** All entries of an import and its mailings. */
export function selectJournalOfImport(sql: Sql, importId: bigint): Promise<JournalEntry[]> {
  return select(
    sql,
    `SELECT ${ENTRY} FROM journal j JOIN client c ON c.id = j.client_id WHERE j.import_id = $1 ORDER BY j.created_at, j.id`,
    [importId],
  );
}

export async function markLogged(sql: Sql, ids: readonly bigint[]): Promise<void> {
  await sql.query('UPDATE journal SET logged = true WHERE id = ANY($1)', [ids]);
}

export interface LoggedImport {
  id: bigint;
  directory: InboxDirectory;
  /** Bytes. */
  size: bigint;
  /** When it was seen, in the client's zone. */
  localTime: string;
}

/** The imports of a file name, the newest first: the same name may come again, in the same directory or in another. */
export function selectImportsOfName(
  sql: Sql,
  clientId: bigint,
  fileName: string,
  limit: number,
): Promise<LoggedImport[]> {
  return select(
    sql,
    `SELECT i.id, i.directory, i.size, to_char(i.created_at AT TIME ZONE c.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS "localTime"
       FROM import i JOIN client c ON c.id = i.client_id
      WHERE i.client_id = $1 AND i.file_name = $2 ORDER BY i.created_at DESC, i.id DESC LIMIT $3`,
    [clientId, fileName, limit],
  );
}

export interface UnsentRow {
  /** Physical line of the file. */
  line: bigint;
  status: 'invalid' | 'duplicate' | 'suppressed';
  /** In words; why it is suppressed as a name (`unsubscribed`). Null for a duplicate. */
  reason: string | null;
}

/** Rows of an import that its mailings do not send to, in the order of the file. */
export async function selectUnsentRows(sql: Sql, importId: bigint, limit: number): Promise<UnsentRow[]> {
  const rows = await select<UnsentRow & { listId: bigint }>(
    sql,
    `SELECT r.line, r.status, r.reason, m.recipient_list_id AS "listId"
       FROM mailing m JOIN mailing_recipient r ON r.mailing_id = m.id
      WHERE m.import_id = $1 AND m.resend_of IS NULL AND r.status <> 'queued' ORDER BY r.line LIMIT $2`,
    [importId, limit],
  );
  const [first] = rows;
  const fields = first ? await selectListFields(sql, first.listId) : [];
  return rows.map(({ line, status, reason }) => ({
    line,
    status,
    reason: status === 'invalid' && reason !== null ? explainProblem(reason, fields).message : reason,
  }));
}

/** Of entries that are in the log files and were mailed, those of before. @returns how many went */
export function deleteJournal(sql: Sql, clientId: bigint, before: Date): Promise<number> {
  return execute(
    sql,
    'DELETE FROM journal WHERE client_id = $1 AND created_at < $2 AND logged AND mailed_at IS NOT NULL',
    [clientId, before],
  );
}
