import { createHash } from 'node:crypto';
import type { Database } from './database.js';
import { insertEvents, type RecordedEvent } from './event.js';
import { type InsertedResponse, insertResponses, type NewResponse } from './response.js';
import { execute, loadSql, type Sql, select, selectOne } from './sql.js';

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
 * Makes messages durable in one commit: when this resolves, their senders may be told so. Messages are told apart by their
 * SHA-256.
 * @returns for each `known` when it is there already, for the same envelope recipients
 */
export async function storeInboundMessages(
  sql: Sql,
  messages: readonly IncomingMessage[],
): Promise<('stored' | 'known')[]> {
  const hashes = messages.map(({ raw }) => createHash('sha256').update(raw).digest('hex'));
  const distinct = new Map<string, IncomingMessage>();
  for (const [index, message] of messages.entries()) {
    const hash = hashes[index] ?? '';
    const same = distinct.get(hash);
    // A statement writes no row twice.
    distinct.set(hash, same ? { ...same, envelopeTo: [...same.envelopeTo, ...message.envelopeTo] } : message);
  }
  const stored = await insert(sql, distinct);
  return hashes.map((hash) => (stored.delete(hash) ? 'stored' : 'known'));
}

async function insert(sql: Sql, messages: ReadonlyMap<string, IncomingMessage>): Promise<Set<string>> {
  const all = [...messages.values()];
  const rows = await select<{ sha256: Buffer }>(sql, STORE, [
    [...messages.keys()].map((hash) => Buffer.from(hash, 'hex')),
    all.map(({ source }) => source),
    Buffer.concat(all.map(({ raw }) => raw)),
    ends(all.map(({ raw }) => raw.length)),
    all.map(({ envelopeFrom }) => storable(envelopeFrom)),
    all.flatMap(({ envelopeTo }) => envelopeTo.map(storable)),
    ends(all.map(({ envelopeTo }) => envelopeTo.length)),
    all.map(({ receivedAt }) => receivedAt),
  ]);
  return new Set(rows.map(({ sha256 }) => sha256.toString('hex')));
}

/** Where each of these ends when they lie one behind the other. */
function ends(lengths: readonly number[]): number[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return end;
  });
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

/** How much is taken at a time. */
export interface ClaimSize {
  messages: number;
  /** Unless the first has more. */
  bytes: number;
}

/**
 * Takes the oldest messages that nobody looks at; one that was looked at in vain before comes alone. They come back, with one
 * attempt more, when they are not settled within the lease: recording a message again changes nothing.
 */
export function claimInboundMessages(sql: Sql, leaseMs: number, size: ClaimSize): Promise<ClaimedMessage[]> {
  return select(sql, CLAIM, [leaseMs, size.messages, size.bytes]);
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

export interface LookedAt {
  message: Pick<ClaimedMessage, 'id' | 'attempts'>;
  outcome: InboundOutcome;
}

const SETTLE = loadSql(import.meta.url, 'inbound-settle.sql');

/**
 * Records what messages turned out to be and ends their wait, all or none. Doing it twice is doing it once.
 * @returns the responses that are new
 */
export async function recordInboundMessages(db: Database, lookedAt: readonly LookedAt[]): Promise<InsertedResponse[]> {
  const responses = lookedAt.flatMap(({ outcome }) => outcome.responses);
  const unsubscribes = lookedAt.flatMap(({ outcome }) => outcome.unsubscribes);
  // An unsubscribe has an ID of its own: it may be committed before, and is recorded once.
  await insertEvents(db, unsubscribes);
  return db.transaction(async (sql) => {
    const inserted = await insertResponses(sql, responses);
    await sql.query(SETTLE, [
      lookedAt.map(({ message }) => message.id),
      lookedAt.map(({ message }) => message.attempts),
      lookedAt.map(({ outcome }) => outcome.status),
      lookedAt.map(({ outcome }) => (outcome.reason === null ? null : storable(outcome.reason))),
    ]);
    return inserted;
  });
}

/** Gives messages back that were claimed and not looked at, as if nobody had taken them. */
export async function giveBackInboundMessages(sql: Sql, messages: readonly LookedAt['message'][]): Promise<void> {
  await sql.query(
    // One that is locked comes in again just now, and is free by that.
    `UPDATE inbound_message SET attempts = attempts - 1, lease_until = NULL
      WHERE id IN (SELECT m.id FROM unnest($1::bigint[], $2::smallint[]) AS c(id, attempts)
                     JOIN inbound_message m ON m.id = c.id AND m.attempts = c.attempts AND m.status = 'received'
                      FOR UPDATE OF m SKIP LOCKED)`,
    [messages.map(({ id }) => id), messages.map(({ attempts }) => attempts)],
  );
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
                    WHERE raw IS NOT NULL AND status <> 'received' AND received_at < now() - $1::float8 * interval '1 ms'
                    LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [olderThanMs, limit],
  );
}
