import type { Database } from './database.js';
import { insertResponses, type NewResponse } from './response.js';
import { loadSql, type Sql, select } from './sql.js';

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

const TAKE_OFF = loadSql(import.meta.url, 'delivery-take-off.sql');

/**
 * The second step of the claim, just before DATA: moves recipients to `in_flight`, committed together. One statement asks
 * all that forbids sending: the lease was retaken, the mailing was paused or cancelled, the address is suppressed by
 * now, the recipient was already tried.
 * @returns the status of those that were moved, by recipient ID; one that is missing was refused
 */
export async function takeOff(
  sql: Sql,
  attempts: readonly Attempt[],
): Promise<Map<bigint, 'in_flight' | 'suppressed'>> {
  const rows = await select<{ recipientId: bigint; status: 'in_flight' | 'suppressed' }>(sql, TAKE_OFF, [
    attempts.map((a) => a.mailingId),
    attempts.map((a) => a.batch),
    attempts.map((a) => a.attemptId),
    attempts.map((a) => a.recipientId),
    attempts.map((a) => a.email.toLowerCase()),
  ]);
  return new Map(rows.map((row) => [row.recipientId, row.status]));
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

const SETTLE = loadSql(import.meta.url, 'delivery-settle.sql');

/**
 * Records answers. Only what this attempt has in flight is touched; what was declared `unknown` meanwhile takes the answer
 * too, for it is the truth. Refusals become responses, and count as bounces, in the same transaction. @returns how many were recorded
 */
export async function settle(db: Database, settlements: readonly Settlement[]): Promise<number> {
  const run = async (sql: Sql, refusals: readonly Settlement[]) => {
    const rows = await select<{ recipientId: bigint }>(sql, SETTLE, [
      settlements.map((s) => s.mailingId),
      settlements.map((s) => s.recipientId),
      settlements.map((s) => s.attemptId),
      settlements.map((s) => s.status),
      settlements.map((s) => s.smtpCode),
      settlements.map((s) => s.reason?.slice(0, 500) ?? null),
      settlements.map((s) => s.retryInMs),
    ]);
    const settled = new Set(rows.map((row) => row.recipientId));
    await insertResponses(sql, refusals.filter((s) => settled.has(s.recipientId)).flatMap(responseOf));
    return rows.length;
  };
  const refusals = settlements.filter((s) => s.response !== null);
  return refusals.length === 0 ? run(db.pool, []) : db.transaction((sql) => run(sql, refusals));
}

function responseOf({ mailingId, recipientId, reason, response }: Settlement): NewResponse[] {
  if (response === null) return [];
  const answer = { kind: 'smtp', messageId: null, occurredAt: null, complaint: false } as const;
  return [{ mailingId, recipientId, ...response, diagnostic: reason, ...answer }];
}
