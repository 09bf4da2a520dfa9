import { createHash } from 'node:crypto';
import type { Database } from './database.js';
import { insertEvents, type RecordedEvent } from './event.js';
import { type InsertedResponse, insertResponses, type NewResponse } from './response.js';
import { execute, loadSql, type Sql, select, selectOne, selectOptional } from './sql.js';

export type InboundSource = 'smtp' | 'imap';

/** A message as it was taken over. */
export interface IncomingMessage {
  source: InboundSource;
  raw: Buffer;
  /** '' for the null sender, or when there is no envelope. */
  envelopeFrom: string;
  /** Empty when there is no envelope. */
  envelopeTo: string[];
  receivedAt: Date;
}

const STORE = loadSql(import.meta.url, 'inbound-store.sql');

/**
 * Makes a message durable: when this resolves, its sender may be told so. Messages are told apart by their SHA-256.
 * @returns `known` when the message is there already, for the same envelope recipients
 */
export async function storeInboundMessage(sql: Sql, message: IncomingMessage): Promise<'stored' | 'known'> {
  const stored = await selectOptional(sql, STORE, [
    createHash('sha256').update(message.raw).digest(),
    message.source,
    message.raw,
    storable(message.envelopeFrom),
    message.envelopeTo.map(storable),
    message.receivedAt,
  ]);
  return stored ? 'stored' : 'known';
}

const MAX_TEXT = 1_000;

/** PostgreSQL refuses NUL in a text: what strangers send must not come back for ever because of it. */
const storable = (text: string): string => text.replaceAll('\0', '').slice(0, MAX_TEXT);

export interface ClaimedMessage extends IncomingMessage {
  id: bigint;
  /** This look included. */
  attempts: number;
}

const CLAIM = loadSql(import.meta.url, 'inbound-claim.sql');

/**
 * Takes the oldest message that nobody looks at. It comes back, with one attempt more, when it is not settled within the
 * lease: recording a message again changes nothing.
 */
export function claimInboundMessage(sql: Sql, leaseMs: number): Promise<ClaimedMessage | undefined> {
  return selectOptional(sql, CLAIM, [leaseMs]);
}

export interface MailedRecipient {
  mailingId: bigint;
  recipientId: bigint;
  email: string | null;
}

/** The mailing recipients among these that (still) exist. */
export function selectMailedRecipients(
  sql: Sql,
  keys: readonly Pick<MailedRecipient, 'mailingId' | 'recipientId'>[],
): Promise<MailedRecipient[]> {
  return select(
    sql,
    `SELECT r.mailing_id AS "mailingId", r.id AS "recipientId", r.email
       FROM unnest($1::bigint[], $2::bigint[]) AS k(mailing_id, id)
       JOIN mailing m ON m.id = k.mailing_id
       JOIN mailing_recipient r ON r.mailing_id = k.mailing_id AND r.id = k.id`,
    [keys.map((key) => key.mailingId), keys.map((key) => key.recipientId)],
  );
}

/** What a message turned out to be. */
export interface InboundOutcome {
  status: 'recorded' | 'no_response' | 'unassigned';
  /** Why nothing was recorded, or what was not looked at. */
  reason: string | null;
  responses: NewResponse[];
  /** Requests by mail to be unsubscribed (RFC 2369 List-Unsubscribe mailto). */
  unsubscribes: RecordedEvent[];
}

/**
 * Records the outcome and ends the message's wait, in one transaction. Doing it twice is doing it once.
 * @returns the responses that are new
 */
export async function recordInboundMessage(
  db: Database,
  message: Pick<ClaimedMessage, 'id' | 'attempts'>,
  outcome: InboundOutcome,
): Promise<InsertedResponse[]> {
  // An unsubscribe has an ID of its own: it may be committed before, and is recorded once.
  await insertEvents(db, outcome.unsubscribes);
  return db.transaction(async (sql) => {
    const inserted = await insertResponses(sql, outcome.responses);
    await sql.query(
      // Not when it came again meanwhile, for somebody else, and waits for another look.
      `UPDATE inbound_message SET status = $3, reason = $4, lease_until = NULL, processed_at = now()
        WHERE id = $1 AND attempts = $2 AND status = 'received'`,
      [message.id, message.attempts, outcome.status, outcome.reason === null ? null : storable(outcome.reason)],
    );
    return inserted;
  });
}

/** How many messages wait to be looked at. */
export async function countWaitingInboundMessages(sql: Sql): Promise<number> {
  const { count } = await selectOne<{ count: bigint }>(
    sql,
    `SELECT count(*) FROM inbound_message WHERE status = 'received'`,
  );
  return Number(count);
}

/**
 * Forgets what messages said and for whom, once their time is over; their hashes stay, so that none counts again.
 * @returns how many, at most `limit`
 */
export function forgetInboundMessages(sql: Sql, olderThanMs: number, limit: number): Promise<number> {
  return execute(
    sql,
    `UPDATE inbound_message SET raw = NULL, envelope_from = '', envelope_to = '{}'
      WHERE id IN (SELECT id FROM inbound_message
                    WHERE raw IS NOT NULL AND status <> 'received' AND received_at < now() - $1::float8 * interval '1 ms' LIMIT $2)`,
    [olderThanMs, limit],
  );
}
