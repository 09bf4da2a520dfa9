import type { Database } from './database.js';
import { loadSql, type Sql, select, selectOne } from './sql.js';

/** Advisory locks of turns have two keys, this one first, so they never meet the one-key locks of exports. */
const TURN_LOCK = 7_001;

/**
 * Runs `work` in a transaction as the only one of its name, whatever process asks. The lock ends with the transaction,
 * so a holder that dies leaves nothing behind.
 * @returns undefined, without running it, when it is somebody else's turn
 */
export function withTurn<T>(db: Database, name: string, work: (sql: Sql) => Promise<T>): Promise<T | undefined> {
  return db.transaction(async (sql) => {
    const { mine } = await selectOne<{ mine: boolean }>(
      sql,
      'SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS mine',
      [TURN_LOCK, name],
    );
    return mine ? work(sql) : undefined;
  });
}

const UNFINISHED_MAILINGS = loadSql(import.meta.url, 'reconcile-unfinished-mailings.sql');

/** Mailings that are still `sending` although no batch is open and none changed for `olderThanMs`: `finishMailing` is due. */
export function selectUnfinishedMailings(sql: Sql, olderThanMs: number): Promise<{ id: bigint }[]> {
  return select(sql, UNFINISHED_MAILINGS, [olderThanMs]);
}

const FORGOTTEN_EXPORTS = loadSql(import.meta.url, 'reconcile-forgotten-exports.sql');

/** Clients whose response export came due more than `olderThanMs` ago and that no run was planned for since. */
export function selectForgottenExports(sql: Sql, olderThanMs: number): Promise<{ clientId: bigint }[]> {
  return select(sql, FORGOTTEN_EXPORTS, [olderThanMs]);
}

/** Has a run of this client been planned and not finished? */
export async function hasUnfinishedExport(sql: Sql, clientId: bigint): Promise<boolean> {
  return (await select(sql, `SELECT 1 FROM export WHERE client_id = $1 AND status = 'planned'`, [clientId])).length > 0;
}
