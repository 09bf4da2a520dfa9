import type { Database } from './database.js';
import { execute, loadSql, type Sql, select } from './sql.js';
import { readSuppressionEntry } from './suppression-entry.js';

export const suppressionReasons = ['blacklisted', 'unsubscribed', 'too_many_bounces', 'complaint'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** One line of a client's suppression list. */
export interface Suppression {
  /** An address, or a pattern with `*` and `?`. */
  entry: string;
  reason: SuppressionReason;
  /** What led to it, when mail did. */
  mailingId: bigint | null;
  recipientId: bigint | null;
  createdAt: Date;
}

export interface SuppressionPage {
  limit: number;
  /** The last line of the page before. */
  after?: Pick<Suppression, 'entry' | 'reason'>;
  /** Only this reason. */
  reason?: SuppressionReason;
}

const PAGE = loadSql(import.meta.url, 'suppression-page.sql');

/** The next lines of a client's list, by entry and reason; fewer than `limit` at its end. Patterns are `blacklisted`. */
export function selectSuppressions(sql: Sql, clientId: bigint, page: SuppressionPage): Promise<Suppression[]> {
  const { entry, reason } = page.after ?? { entry: '', reason: 'blacklisted' };
  return select(sql, PAGE, [clientId, entry, reason, page.reason ?? null, page.limit]);
}

export interface SuppressionLine {
  /** An address, or a pattern with `*` and `?`. */
  entry: string;
  /** Default `blacklisted`, the only one for patterns. */
  reason?: SuppressionReason;
}

export interface AddedSuppressions {
  added: number;
  /** Were there already, or twice among the lines. */
  known: number;
  /** Lines that were left out: their place among those given, from 0, and what is wrong. */
  refused: { index: number; entry: string; problem: string }[];
}

/** Adds lines to a client's list, all that are valid in one transaction. Effective at once, in running mailings too. */
export async function addSuppressions(
  db: Database,
  clientId: bigint,
  lines: readonly SuppressionLine[],
): Promise<AddedSuppressions> {
  const { addresses, patterns, refused } = sortLines(lines);
  const added = await db.transaction(async (sql) => {
    const newAddresses = await execute(sql, ADD_ADDRESSES, [
      clientId,
      addresses.map(({ address }) => address),
      addresses.map(({ reason }) => reason),
    ]);
    return newAddresses + (await execute(sql, ADD_PATTERNS, [clientId, patterns]));
  });
  return { added, known: lines.length - refused.length - added, refused };
}

// In the order of addresses, as all that write many at once, so that none waits for each other.
const ADD_ADDRESSES = `INSERT INTO suppression (client_id, address, reason)
  SELECT $1, address, reason FROM unnest($2::text[], $3::suppression_reason[]) AS l(address, reason) ORDER BY address, reason
  ON CONFLICT DO NOTHING`;
const ADD_PATTERNS = `INSERT INTO suppression_pattern (client_id, pattern)
  SELECT $1, pattern FROM unnest($2::text[]) AS pattern ORDER BY pattern ON CONFLICT DO NOTHING`;

function sortLines(lines: readonly SuppressionLine[]) {
  const addresses: { address: string; reason: SuppressionReason }[] = [];
  const patterns: string[] = [];
  const refused: AddedSuppressions['refused'] = [];
  for (const [index, line] of lines.entries()) {
    const read = readLine(line);
    if (typeof read === 'string') refused.push({ index, entry: line.entry, problem: read });
    else if ('address' in read) addresses.push(read);
    else patterns.push(read.pattern);
  }
  return { addresses, patterns, refused };
}

/** @returns why the line cannot be added; null when it can */
export function suppressionProblem(line: SuppressionLine): string | null {
  const read = readLine(line);
  return typeof read === 'string' ? read : null;
}

function readLine({ entry, reason = 'blacklisted' }: SuppressionLine) {
  const read = readSuppressionEntry(entry);
  if (typeof read === 'string') return read;
  if ('address' in read) return { ...read, reason };
  return reason === 'blacklisted' ? read : `is a pattern, which cannot be ${reason}`;
}

/**
 * Takes entries off a client's list: for one reason, or for all. An address that had bounced too often starts anew.
 * @returns how many lines went
 */
export function removeSuppressions(
  db: Database,
  clientId: bigint,
  entries: readonly string[],
  reason?: SuppressionReason,
): Promise<number> {
  const keys = entries.flatMap((entry) => {
    const read = readSuppressionEntry(entry);
    // What is no valid entry (any more) can still stand in the list.
    return typeof read === 'string' ? [entry.trim().toLowerCase()] : Object.values(read);
  });
  const parameters = [clientId, keys, reason ?? null];
  return db.transaction(async (sql) => {
    const addresses = await execute(sql, REMOVE_ADDRESSES, parameters);
    const patterns = await execute(sql, REMOVE_PATTERNS, parameters);
    await execute(sql, FORGET_BOUNCES, parameters);
    return addresses + patterns + (await removeErased(sql, clientId, keys, reason));
  });
}

/** Of erased addresses only hashes are there. The key is asked for where there are any. */
async function removeErased(
  sql: Sql,
  clientId: bigint,
  keys: readonly string[],
  reason?: SuppressionReason,
): Promise<number> {
  const any = await select(sql, 'SELECT 1 FROM suppression_hash WHERE client_id = $1 LIMIT 1', [clientId]);
  return any.length === 0 ? 0 : execute(sql, REMOVE_ERASED, [clientId, keys, reason ?? null]);
}

const REMOVE_ERASED = `DELETE FROM suppression_hash USING unnest($2::text[]) AS k
  WHERE client_id = $1 AND hash = suppression_hash_of(k) AND ($3::suppression_reason IS NULL OR reason = $3)`;
const REMOVE_ADDRESSES = `DELETE FROM suppression
  WHERE client_id = $1 AND address = ANY($2) AND ($3::suppression_reason IS NULL OR reason = $3)`;
const REMOVE_PATTERNS = `DELETE FROM suppression_pattern
  WHERE client_id = $1 AND pattern = ANY($2) AND ($3::suppression_reason IS NULL OR $3 = 'blacklisted')`;
const FORGET_BOUNCES = `DELETE FROM bounce_count
  WHERE client_id = $1 AND address = ANY($2) AND ($3::suppression_reason IS NULL OR $3 = 'too_many_bounces')`;
