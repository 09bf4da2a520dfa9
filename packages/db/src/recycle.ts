import { releaseMailingContent } from './content.js';
import type { Database } from './database.js';
import { loadSql, type Sql, select, selectOne, selectOptional } from './sql.js';

// The lifetime of recipients' data (spec 8). Each step is one transaction over few rows; mailing.recycled_id says how far it
// came, so a process that dies in between has lost nothing, and the next goes on from there.

/** Clients with mailings whose recipients are still there. */
export function selectClientsWithRecipients(sql: Sql): Promise<{ clientId: bigint }[]> {
  return select(
    sql,
    'SELECT DISTINCT client_id AS "clientId" FROM mailing WHERE forgotten_at IS NULL ORDER BY client_id',
  );
}

export interface RecycleOptions {
  clientId: bigint;
  now: Date;
  /** Recipients per transaction. */
  limit: number;
}

/** One step. `finished`: it was the mailing's last. */
export interface RecycledBatch {
  mailingId: bigint;
  recipients: number;
  finished: boolean;
}

const DUE = loadSql(import.meta.url, 'recycle-due.sql');
const EMPTY = loadSql(import.meta.url, 'recycle-recipients.sql');

/**
 * Empties the fields of some recipients of a mailing that started more than `days` ago and that every export has passed.
 * What stays is the identity row: IDs, address and the fields that hold IDs, so that links, events and responses that come
 * later still know whom they concern. A mailing that failed to start can no longer be started: it is cancelled.
 * @returns undefined when none is due
 */
export function recycleRecipients(
  db: Database,
  { clientId, now, limit, days }: RecycleOptions & { days: number },
): Promise<RecycledBatch | undefined> {
  return db.transaction(async (sql) => {
    const mailing = await selectOptional<{ id: bigint; recycledId: bigint }>(sql, DUE, [clientId, now, days]);
    if (!mailing) return undefined;
    const { id, recycledId } = mailing;
    const kept = await selectIdentityOrdinals(sql, id);
    const { lastId, recipients } = await selectOne<{ lastId: bigint | null; recipients: number }>(sql, EMPTY, [
      id,
      recycledId,
      limit,
      kept,
    ]);
    const finished = recipients < limit;
    await sql.query(
      `UPDATE mailing SET recycled_id = $2, recycled_at = $3, status = CASE status WHEN 'failed' THEN 'cancelled' ELSE status END WHERE id = $1`,
      [id, lastId ?? recycledId, finished ? now : null],
    );
    if (finished) await releaseMailingContent(sql, id);
    return { mailingId: id, recipients, finished };
  });
}

/** Where a mailing's recipients have their address and what other systems know them by. */
async function selectIdentityOrdinals(sql: Sql, mailingId: bigint): Promise<number[]> {
  const fields = await select<{ ordinal: number }>(
    sql,
    `SELECT f.ordinal FROM mailing m JOIN recipient_list_field f ON f.list_id = m.recipient_list_id
      WHERE m.id = $1 AND f.role IN ('email', 'customer_id', 'external_customer_number', 'entity_type', 'entity_id')`,
    [mailingId],
  );
  return fields.map(({ ordinal }) => ordinal);
}

const FORGET = loadSql(import.meta.url, 'recycle-forget.sql');

/**
 * Removes some identity rows of a mailing that started more than `months` ago, with their deliveries; at last what servers said
 * of their addresses. Events and responses stay, about a number that leads to nobody.
 * @returns undefined when none is due
 */
export function forgetRecipients(
  db: Database,
  { clientId, now, limit, months }: RecycleOptions & { months: number },
): Promise<RecycledBatch | undefined> {
  return db.transaction(async (sql) => {
    const mailing = await selectOptional<{ id: bigint }>(
      sql,
      `SELECT id FROM mailing
        WHERE client_id = $1 AND forgotten_at IS NULL AND recycled_at IS NOT NULL
          AND coalesce(started_at, created_at) + $3::int * interval '1 month' <= $2
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [clientId, now, months],
    );
    if (!mailing) return undefined;
    const { id } = mailing;
    const { recipients } = await selectOne<{ recipients: number }>(sql, FORGET, [id, limit]);
    const finished = recipients < limit;
    if (finished) {
      await sql.query('UPDATE response SET diagnostic = NULL WHERE mailing_id = $1 AND diagnostic IS NOT NULL', [id]);
      await sql.query('DELETE FROM event_earlier WHERE mailing_id = $1', [id]);
      await sql.query('DELETE FROM export_undecided WHERE mailing_id = $1', [id]);
      await sql.query('UPDATE mailing SET forgotten_at = $2 WHERE id = $1', [id, now]);
    }
    return { mailingId: id, recipients, finished };
  });
}
