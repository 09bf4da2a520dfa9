import type { Database } from './database.js';
import { loadSql, select } from './sql.js';

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
const SUPPRESS = loadSql(import.meta.url, 'event-suppress-unsubscribed.sql');

/**
 * Records a batch of events, all or none, with a ticket per client that is held to the commit: an export that sees a
 * ticket sees every row with a smaller one. Unsubscribes suppress the address in the same transaction.
 * Events of mailings that are gone are left out. @returns how many were new
 */
export async function insertEvents(db: Database, events: readonly RecordedEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  return db.transaction(async (sql) => {
    const tickets = await select<{ mailingId: bigint; clientId: bigint; ticket: bigint }>(sql, TAKE_TICKETS, [
      [...new Set(events.map((event) => event.mailingId))],
    ]);
    const ticketOf = new Map(tickets.map((row) => [row.mailingId, row]));
    const known = events.filter((event) => ticketOf.has(event.mailingId));
    const inserted = await select<{ kind: string }>(sql, INSERT, [
      known.map((e) => e.mailingId),
      known.map((e) => e.id),
      known.map((e) => ticketOf.get(e.mailingId)?.clientId),
      known.map((e) => ticketOf.get(e.mailingId)?.ticket),
      known.map((e) => e.recipientId),
      known.map((e) => e.kind),
      known.map((e) => e.linkOrdinal),
      known.map((e) => e.occurredAt),
      known.map((e) => e.browser),
      known.map((e) => e.platform),
      known.map((e) => e.device),
      known.map((e) => e.verdict),
      known.map((e) => e.verdictRule),
      known.map((e) => e.userAgent),
    ]);
    const unsubscribed = known.filter((event) => event.kind === 'unsubscribe');
    if (unsubscribed.length > 0)
      await sql.query(SUPPRESS, [unsubscribed.map((e) => e.mailingId), unsubscribed.map((e) => e.recipientId)]);
    return inserted.length;
  });
}
