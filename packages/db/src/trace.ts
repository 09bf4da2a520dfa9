import type { MailingStatus } from './mailing.js';
import { loadSql, type Sql, select } from './sql.js';
import type { SuppressionReason } from './suppression.js';

/** One input row of an address and what became of it. */
export interface TracedRow {
  mailingId: bigint;
  /** The mailing recipient's ID, exported as mailingToUserId. */
  id: bigint;
  line: bigint;
  waveId: bigint | null;
  email: string;
  /** One of docs/ARCHITECTURE.md's states. */
  status: string;
  reason: string | null;
  attempts: number | null;
  smtpCode: number | null;
  sentAt: Date | null;
  settledAt: Date | null;
  nextAttemptAt: Date | null;
  clientId: bigint;
  clientName: string;
  mailingName: string;
  mailingStatus: MailingStatus;
  test: boolean;
  importId: bigint;
  fileName: string;
}

interface OfRow {
  mailingId: bigint;
  recipientId: bigint;
}

export interface TracedEvent extends OfRow {
  id: string;
  kind: 'open' | 'click' | 'unsubscribe';
  linkName: string | null;
  occurredAt: Date;
  browser: string;
  platform: string;
  device: string;
  verdict: string;
  verdictRule: string;
}

export interface TracedResponse extends OfRow {
  id: bigint;
  category: string;
  statusCode: string | null;
  diagnostic: string | null;
  rule: string;
  occurredAt: Date;
}

/** A response file that holds rows about the recipient. */
export interface TracedExport extends OfRow {
  kind: string;
  rows: bigint;
  exportId: bigint;
  status: 'planned' | 'done';
  day: string;
  runOfDay: number;
  /** Null while the run is not finished. */
  fileName: string | null;
}

export interface TracedSuppression {
  clientId: bigint;
  clientName: string;
  /** The address, or the pattern that it fits. */
  entry: string;
  reason: SuppressionReason;
  /** The mailing that led to it, if one did. */
  mailingId: bigint | null;
  createdAt: Date;
}

export type TracedRecipient = TracedRow & {
  events: Omit<TracedEvent, keyof OfRow>[];
  responses: Omit<TracedResponse, keyof OfRow>[];
  exports: Omit<TracedExport, keyof OfRow>[];
};

export interface RecipientTrace {
  recipients: TracedRecipient[];
  suppressions: TracedSuppression[];
}

const ROWS = loadSql(import.meta.url, 'inspect-recipients.sql');
const EVENTS = loadSql(import.meta.url, 'inspect-recipient-events.sql');
const RESPONSES = loadSql(import.meta.url, 'inspect-recipient-responses.sql');
const EXPORTS = loadSql(import.meta.url, 'inspect-recipient-exports.sql');
const SUPPRESSIONS = loadSql(import.meta.url, 'inspect-recipient-suppressions.sql');

/** Everything that is known of an address: its input rows with mails, events, responses and exports; suppressions. */
export async function selectRecipientTrace(sql: Sql, address: string): Promise<RecipientTrace> {
  const normalised = address.trim().toLowerCase();
  const rows = await select<TracedRow>(sql, ROWS, [normalised]);
  const keys = [rows.map((row) => row.mailingId), rows.map((row) => row.id)];
  const events = await select<TracedEvent>(sql, EVENTS, keys);
  const responses = await select<TracedResponse>(sql, RESPONSES, keys);
  const exports = await select<TracedExport>(sql, EXPORTS, keys);
  const recipients = rows.map((row) => ({
    ...row,
    events: of(row, events),
    responses: of(row, responses),
    exports: of(row, exports),
  }));
  return { recipients, suppressions: await select<TracedSuppression>(sql, SUPPRESSIONS, [normalised]) };
}

function of<T extends OfRow>(row: TracedRow, all: readonly T[]): Omit<T, keyof OfRow>[] {
  return all
    .filter(({ mailingId, recipientId }) => mailingId === row.mailingId && recipientId === row.id)
    .map(({ mailingId, recipientId, ...rest }) => rest);
}
