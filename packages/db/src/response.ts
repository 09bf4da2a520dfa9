import { loadSql, type Sql, select } from './sql.js';
import { unsubscribeEventId } from './unsubscribe-event-id.js';

export type ResponseCategory = 'autoresponder' | 'unknown' | 'temporary_bounce' | 'bounce' | 'fatal_bounce';

export type ResponseCounts = Record<ResponseCategory, number>;

export const noResponses: Readonly<ResponseCounts> = {
  autoresponder: 0,
  unknown: 0,
  temporary_bounce: 0,
  bounce: 0,
  fatal_bounce: 0,
};

/** What came back for one mailing recipient: an answer of its server while sending, or a mail. */
export interface NewResponse {
  mailingId: bigint;
  recipientId: bigint;
  category: ResponseCategory;
  /** RFC 3463, such as `5.1.1`. */
  statusCode: string | null;
  /** What the server said; at most 500 characters are kept. */
  diagnostic: string | null;
  /** The rule that decided. */
  rule: string;
  /** `smtp` while sending, else what kind of mail said it. */
  kind: 'smtp' | 'dsn' | 'free_text' | 'arf' | 'auto_reply' | 'reply';
  reason: string | null;
  /** The inbound message; with it the response of a recipient is recorded once. */
  messageId: bigint | null;
  /** Default: now. */
  occurredAt: Date | null;
  /** The recipient complained: suppressed at once, and unsubscribed by that. */
  complaint: boolean;
}

export interface InsertedResponse {
  mailingId: bigint;
  recipientId: bigint;
  category: ResponseCategory;
}

const INSERT = loadSql(import.meta.url, 'response-insert.sql');

/**
 * Records responses in the caller's transaction, with a ticket of each client that is held to its commit. Bounces are
 * counted by address and suppress it at the client's limits (reason too_many_bounces); complaints suppress at once and are told
 * as an unsubscribe, too.
 * A delivery that succeeds sets no counter back.
 * @returns those that are new; a response of a message that was recorded before changes nothing
 */
export async function insertResponses(sql: Sql, responses: readonly NewResponse[]): Promise<InsertedResponse[]> {
  if (responses.length === 0) return [];
  return select<InsertedResponse>(sql, INSERT, [
    responses.map((r) => r.mailingId),
    responses.map((r) => r.recipientId),
    responses.map((r) => r.category),
    responses.map((r) => r.statusCode),
    responses.map((r) => r.diagnostic?.replaceAll('\0', '').slice(0, MAX_DIAGNOSTIC) ?? null),
    responses.map((r) => r.rule),
    responses.map((r) => r.kind),
    responses.map((r) => r.reason),
    responses.map((r) => r.messageId),
    responses.map((r) => r.occurredAt),
    responses.map((r) => (r.complaint ? unsubscribeEventId(r.mailingId, r.recipientId) : null)),
  ]);
}

const MAX_DIAGNOSTIC = 500;

/** Recorded responses of a client's mailings by category, and how many of them are complaints. Counts rows: for people. */
export async function selectResponseCounts(
  sql: Sql,
  clientId: bigint,
): Promise<{ responses: ResponseCounts; complaints: number }> {
  const rows = await select<{ category: ResponseCategory; count: number; complaints: number }>(
    sql,
    `SELECT category, count(*)::float8 AS count, count(*) FILTER (WHERE kind = 'arf')::float8 AS complaints
       FROM response WHERE client_id = $1 GROUP BY category`,
    [clientId],
  );
  return {
    responses: { ...noResponses, ...Object.fromEntries(rows.map(({ category, count }) => [category, count])) },
    complaints: rows.reduce((sum, { complaints }) => sum + complaints, 0),
  };
}
