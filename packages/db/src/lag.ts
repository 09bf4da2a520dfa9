import { loadSql, type Sql, select, selectOne } from './sql.js';

/**
 * What may wait, by the queue that it waits in; besides: `in-flight`, a mail whose server has not answered, and `mailing`, one
 * that was started and has recipients that are not settled.
 */
export const waitingWork = [
  'file-import',
  'mailing-build',
  'mail-send',
  'in-flight',
  'mailing',
  'response-export',
] as const;
export type WaitingWork = (typeof waitingWork)[number];

export const openImportStatuses = ['claiming', 'claimed', 'imported'] as const;
export type OpenImportStatus = (typeof openImportStatuses)[number];

export interface Lag {
  /** Age in seconds of the oldest; 0 when none waits. By the database's clock. */
  oldestSeconds: Record<WaitingWork, number>;
  /** Clients whose export runs or should; `late` are not counted as due. */
  exports: { due: number; late: number };
  /** Files on their way, by status. */
  imports: Record<OpenImportStatus, number>;
}

const OLDEST = loadSql(import.meta.url, 'lag.sql');
const EXPORTS = loadSql(import.meta.url, 'lag-exports.sql');

/** How far the house is behind, from PostgreSQL: a queue that was flushed tells nothing. Asked every few seconds. */
export async function selectLag(sql: Sql, exportLateAfterMs: number): Promise<Lag> {
  const oldest = await select<{ work: WaitingWork; seconds: number | null }>(sql, OLDEST);
  const imports = await select<{ status: OpenImportStatus; count: number }>(
    sql,
    `SELECT status, count(*)::int AS count FROM import WHERE status IN ('claiming', 'claimed', 'imported') GROUP BY status`,
  );
  return {
    oldestSeconds: filled(
      waitingWork,
      oldest.map(({ work, seconds }) => [work, seconds ?? 0]),
    ),
    exports: await selectOne(sql, EXPORTS, [exportLateAfterMs]),
    imports: filled(
      openImportStatuses,
      imports.map(({ status, count }) => [status, count]),
    ),
  };
}

function filled<K extends string>(keys: readonly K[], found: [K, number][]): Record<K, number> {
  return Object.fromEntries([...keys.map((key) => [key, 0]), ...found]) as Record<K, number>;
}
