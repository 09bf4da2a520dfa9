import type { Database } from './database.js';
import { execute, loadSql, select } from './sql.js';

/** One thing that a recipient did, as the gateway saw it. */
export interface RecordedEvent {
  /** UUID, made at the gateway: recording it again changes nothing. */
  id: string;
  mailingId: bigint;
  recipientId: bigint;
  kind: 'open' | 'click' | 'unsubscribe';
  linkOrdinal: number;
  occurredAt: Date;
  browser: string;
  platform: string;
  device: string;
  verdict: 'human' | 'image_proxy' | 'privacy_proxy' | 'scanner' | 'unknown';
  verdictRule: string;
  userAgent: string | null;
}

const TAKE_TICKETS = loadSql(import.meta.url, 'event-take-tickets.sql');
const INSERT = loadSql(import.meta.url, 'event-insert.sql');
const INSERT_NEW = `${INSERT} ON CONFLICT (mailing_id, id) DO NOTHING`;
const UNIQUE_VIOLATION = '23505';
const SUPPRESS = loadSql(import.meta.url, 'event-suppress-unsubscribed.sql');

/**
 * Records a batch of events, all or none, with a ticket per client that is held to the commit: an export that sees a
 * ticket sees every row with a smaller one. Unsubscribes suppress the address in the same transaction.
 * Events of mailings that are gone are left out. @returns how many were new
 */
export async function insertEvents(db: Database, events: readonly RecordedEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  // To look for each ID before it goes in costs PostgreSQL as much as the rest. Only after a crash do events come again,
  // but unsubscribes whenever somebody is in doubt.
  if (!events.some(({ kind }) => kind === 'unsubscribe')) {
    try {
      return await insertWith(INSERT, db, events);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION)) throw error;
    }
  }
  return insertWith(INSERT_NEW, db, events);
}

function insertWith(insert: string, db: Database, events: readonly RecordedEvent[]): Promise<number> {
  return db.transaction(async (sql) => {
    const tickets = await select<{ mailingId: bigint; clientId: bigint; ticket: bigint }>(sql, TAKE_TICKETS, [
      [...new Set(events.map((event) => event.mailingId))],
    ]);
    const ticketOf = new Map(tickets.map((row) => [row.mailingId, row]));
    const known = events.filter((event) => ticketOf.has(event.mailingId));
    const inserted = await execute(sql, insert, [
      plainArray(known.map((e) => e.mailingId)),
      plainArray(known.map((e) => e.id)),
      plainArray(known.map((e) => ticketOf.get(e.mailingId)?.clientId)),
      plainArray(known.map((e) => ticketOf.get(e.mailingId)?.ticket)),
      plainArray(known.map((e) => e.recipientId)),
      plainArray(known.map((e) => e.kind)),
      plainArray(known.map((e) => e.linkOrdinal)),
      plainArray(known.map((e) => e.occurredAt.toISOString())),
      known.map((e) => e.browser),
      known.map((e) => e.platform),
      known.map((e) => e.device),
      plainArray(known.map((e) => e.verdict)),
      known.map((e) => e.verdictRule),
      known.map((e) => e.userAgent),
    ]);
    const unsubscribed = known.filter((event) => event.kind === 'unsubscribe');
    if (unsubscribed.length > 0)
      await sql.query(SUPPRESS, [unsubscribed.map((e) => e.mailingId), unsubscribed.map((e) => e.recipientId)]);
    return inserted;
  });
}

/** An array of values that need no quotes, as PostgreSQL reads it: pg looks for them in each, at 0.3 us a value. */
function plainArray(values: readonly unknown[]): string {
  return `{${values.join(',')}}`;
}
