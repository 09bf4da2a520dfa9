import type { Database } from './database.js';
import { explainProblem } from './import-checks.js';
import { selectListFields } from './recipient-list.js';
import { loadSql, type Sql, select, selectOptional } from './sql.js';

/** What may have become of an input row (docs/ARCHITECTURE.md). */
export const rowStatuses = [
  'queued',
  'invalid',
  'duplicate',
  'suppressed',
  'in_flight',
  'deferred',
  'sent',
  'could_not_be_sent',
  'render_failed',
  'unknown',
  'cancelled',
] as const;
export type RowStatus = (typeof rowStatuses)[number];

export interface ImportedRow {
  /** Physical line in the file. */
  line: bigint;
  status: RowStatus;
  /** In words where the row is invalid. */
  reason: string | null;
}

const ROWS = loadSql(import.meta.url, 'inspect-import-rows.sql');
const ROWS_AT_ONCE = 5_000;

/** The rows of an accepted file in the order of lines, some thousand at a time: a cursor, so no file is too long. */
export async function* selectImportRows(
  db: Database,
  importId: bigint,
  status: RowStatus | null,
): AsyncGenerator<ImportedRow[]> {
  const explain = await explainer(db.pool, importId);
  const client = await db.pool.connect();
  try {
    await client.query('BEGIN READ ONLY');
    await client.query(`DECLARE told NO SCROLL CURSOR FOR ${ROWS}`, [importId, status]);
    for (;;) {
      const rows = await select<ImportedRow>(client, `FETCH ${ROWS_AT_ONCE} FROM told`);
      if (rows.length === 0) return;
      yield rows.map(explain);
    }
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

/** By the fields that the file was read by. */
async function explainer(sql: Sql, importId: bigint): Promise<(row: ImportedRow) => ImportedRow> {
  const list = await selectOptional<{ id: bigint | null }>(
    sql,
    'SELECT recipient_list_id AS id FROM import WHERE id = $1',
    [importId],
  );
  const fields = list?.id ? await selectListFields(sql, list.id) : [];
  return (row) =>
    row.status === 'invalid' && row.reason ? { ...row, reason: explainProblem(row.reason, fields).message } : row;
}
