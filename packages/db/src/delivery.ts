import type { Database } from './database.js';
import { insertResponses, type NewResponse } from './response.js';
import { loadPrepared, type Sql, selectOne } from './sql.js';
import { plainArray, textArray } from './text-array.js';

export type DeliveryStatus =
  | 'in_flight'
  | 'deferred'
  | 'sent'
  | 'could_not_be_sent'
  | 'unknown'
  | 'render_failed'
  | 'suppressed';

/** A recipient of a batch that this attempt holds. */
export interface Attempt {
  mailingId: bigint;
  batch: number;
  attemptId: bigint;
  recipientId: bigint;
  /** As it will stand in RCPT TO. */
  email: string;
}

/** The server's answer to one mail, or the lack of one. */
export interface Settlement {
  mailingId: bigint;
  recipientId: bigint;
  attemptId: bigint;
  status: 'sent' | 'deferred' | 'could_not_be_sent' | 'unknown' | 'render_failed';
  smtpCode: number | null;
  /** What the server said, or why there was no answer. At most 500 characters are kept. */
  reason: string | null;
  /** For `deferred`: when to try again. */
  retryInMs: number | null;
  /** For a refusal: what it counts as among the responses. */
  response: Pick<NewResponse, 'category' | 'statusCode' | 'reason' | 'rule'> | null;
}

/** What a statement did. Recipients that it was to take off and that are in neither list were refused. */
interface Recorded {
  settled: bigint[];
  inFlight: bigint[];
  suppressed: bigint[];
}

const RECORD = loadPrepared(import.meta.url, 'delivery-record.sql');

function record(sql: Sql, settlements: readonly Settlement[], attempts: readonly Attempt[]): Promise<Recorded> {
  return selectOne(sql, RECORD, [
    plainArray(settlements.map((s) => s.mailingId)),
    plainArray(settlements.map((s) => s.recipientId)),
    plainArray(settlements.map((s) => s.attemptId)),
    plainArray(settlements.map((s) => s.status)),
    plainArray(settlements.map((s) => s.smtpCode)),
    textArray(settlements.map((s) => s.reason?.replaceAll('\0', '').slice(0, 500) ?? null)),
    plainArray(settlements.map((s) => s.retryInMs)),
    plainArray(attempts.map((a) => a.mailingId)),
    plainArray(attempts.map((a) => a.batch)),
    plainArray(attempts.map((a) => a.attemptId)),
    plainArray(attempts.map((a) => a.recipientId)),
    textArray(attempts.map((a) => a.email.toLowerCase())),
  ]);
}

/** What became of recipients that were to take off; one that is missing was refused. */
export type TakenOff = ReadonlyMap<bigint, 'in_flight' | 'suppressed'>;

/**
 * Records answers, and takes the second step of the claim, just before DATA: moves recipients to `in_flight`; both in one
 * commit, so that a place that got an answer can take the next mail at once. The statement asks all that forbids sending: the
 * lease was retaken, the mailing was paused or cancelled, the address is suppressed by now, the recipient was already tried.
 *
 * Of the answers only what their attempt has in flight is touched; what was declared `unknown` meanwhile takes the answer too,
 * for it is the truth. Refusals become responses, and count as bounces, in the same transaction.
 */
export async function recordDeliveries(
  db: Database,
  settlements: readonly Settlement[],
  attempts: readonly Attempt[],
): Promise<{ settled: number; takenOff: TakenOff }> {
  const refusals = settlements.filter((s) => s.response !== null);
  const { settled, inFlight, suppressed } =
    refusals.length === 0
      ? await record(db.pool, settlements, attempts)
      : await db.transaction(async (sql) => {
          const recorded = await record(sql, settlements, attempts);
          const known = new Set(recorded.settled);
          await insertResponses(sql, refusals.filter((s) => known.has(s.recipientId)).flatMap(responseOf));
          return recorded;
        });
  const takenOff = new Map<bigint, 'in_flight' | 'suppressed'>();
  for (const id of inFlight) takenOff.set(id, 'in_flight');
  for (const id of suppressed) takenOff.set(id, 'suppressed');
  return { settled: settled.length, takenOff };
}

function responseOf({ mailingId, recipientId, reason, response }: Settlement): NewResponse[] {
  if (response === null) return [];
  const answer = { kind: 'smtp', messageId: null, occurredAt: null, complaint: false } as const;
  return [{ mailingId, recipientId, ...response, diagnostic: reason, ...answer }];
}
