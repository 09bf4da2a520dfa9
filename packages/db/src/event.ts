import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
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
const COPY = loadSql(import.meta.url, 'event-copy.sql');
const INSERT_NEW = loadSql(import.meta.url, 'event-insert-new.sql');
const UNIQUE_VIOLATION = '23505';
const SUPPRESS = loadSql(import.meta.url, 'event-suppress-unsubscribed.sql');

/**
 * Records a batch of events, all or none, with a ticket per client that is held to the commit: an export that sees a
 * ticket sees every row with a smaller one. Unsubscribes suppress the address in the same transaction.
 * Events of mailings that are gone are left out. @returns how many were new
 */
export async function insertEvents(db: Database, events: readonly RecordedEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  // COPY takes two thirds of the time of the insert that looks whether an ID is there. Only after a crash do events come
  // again, but unsubscribes whenever somebody is in doubt.
  if (!events.some(({ kind }) => kind === 'unsubscribe')) {
    try {
      return await insertWith(copyRows, db, events);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION)) throw error;
    }
  }
  return insertWith(insertNewRows, db, events);
}

/** Whose event it is, and the ticket that it gets. */
interface Ticket {
  mailingId: bigint;
  clientId: bigint;
  ticket: bigint;
}

interface Row {
  ticket: Ticket;
  event: RecordedEvent;
}

type InsertRows = (client: pg.PoolClient, rows: readonly Row[]) => Promise<number>;

function insertWith(insertRows: InsertRows, db: Database, events: readonly RecordedEvent[]): Promise<number> {
  return db.transaction(async (sql, client) => {
    const tickets = await select<Ticket>(sql, TAKE_TICKETS, [[...new Set(events.map(({ mailingId }) => mailingId))]]);
    const ticketOf = new Map(tickets.map((row) => [row.mailingId, row]));
    const rows = events.flatMap((event) => {
      const ticket = ticketOf.get(event.mailingId);
      return ticket ? [{ ticket, event }] : [];
    });
    const inserted = await insertRows(client, rows);
    const unsubscribed = rows.filter(({ event }) => event.kind === 'unsubscribe');
    if (unsubscribed.length > 0)
      await sql.query(SUPPRESS, [
        unsubscribed.map(({ event }) => event.mailingId),
        unsubscribed.map(({ event }) => event.recipientId),
      ]);
    return inserted;
  });
}

async function copyRows(client: pg.PoolClient, rows: readonly Row[]): Promise<number> {
  const copy = client.query(copyFrom(COPY));
  copy.end(rows.map(copyLine).join(''));
  await finished(copy);
  return copy.rowCount;
}

/** A row in the text format of COPY (PostgreSQL's manual, COPY, File Formats). */
function copyLine({ ticket: { clientId, ticket }, event }: Row): string {
  const { id, mailingId, recipientId, kind, linkOrdinal, occurredAt, browser, platform, device, verdict, verdictRule } =
    event;
  const what = `${mailingId}\t${id}\t${clientId}\t${ticket}\t${recipientId}\t${kind}\t${linkOrdinal}\t${occurredAt.toISOString()}`;
  const who = `${escaped(browser)}\t${escaped(platform)}\t${escaped(device)}\t${verdict}\t${escaped(verdictRule)}`;
  return `${what}\t${who}\t${event.userAgent === null ? '\\N' : escaped(event.userAgent)}\n`;
}

const escaped = (text: string): string => text.replace(/[\\\t\n\r]/g, (character) => `\\${character}`);

function insertNewRows(client: pg.PoolClient, rows: readonly Row[]): Promise<number> {
  const events = rows.map(({ event }) => event);
  return execute(client, INSERT_NEW, [
    events.map((event) => event.mailingId),
    events.map((event) => event.id),
    rows.map(({ ticket }) => ticket.clientId),
    rows.map(({ ticket }) => ticket.ticket),
    events.map((event) => event.recipientId),
    events.map((event) => event.kind),
    events.map((event) => event.linkOrdinal),
    events.map((event) => event.occurredAt),
    events.map((event) => event.browser),
    events.map((event) => event.platform),
    events.map((event) => event.device),
    events.map((event) => event.verdict),
    events.map((event) => event.verdictRule),
    events.map((event) => event.userAgent),
  ]);
}
