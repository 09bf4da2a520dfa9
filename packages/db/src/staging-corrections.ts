import type { ListField } from './recipient-list.js';
import { type Sql, select } from './sql.js';
import { columnOf } from './staging-sql.js';

// Rows that the customer sent in place of rejected ones (spec 5). They outlive a try that fails again: the next one starts from
// the file with all of them.

export interface Correction {
  /** Physical line at which the row begins that this one stands in for. */
  line: number;
  /** One per column of the file. */
  values: readonly (string | null)[];
}

/** A later correction of a line takes the place of the one before. */
export async function storeCorrections(sql: Sql, importId: bigint, corrections: readonly Correction[]): Promise<void> {
  await sql.query(
    `INSERT INTO import_correction (import_id, line, fields)
     SELECT $1, (c ->> 'line')::bigint, ARRAY(SELECT v FROM jsonb_array_elements_text(c -> 'values') WITH ORDINALITY AS e (v, n) ORDER BY n)
       FROM jsonb_array_elements($2) c
     ON CONFLICT (import_id, line) DO UPDATE SET fields = excluded.fields`,
    [importId, JSON.stringify(corrections)],
  );
}

/** Puts the corrected rows in the place of those that stand in staging. @returns lines that no row of the file begins at */
export async function applyCorrections(
  sql: Sql,
  importId: bigint,
  fields: readonly ListField[],
): Promise<{ line: bigint }[]> {
  if (!(await hasCorrections(sql, importId))) return [];
  const set = fields.map(({ ordinal }, at) => `${columnOf(ordinal)} = k.fields[${at + 1}]`).join(', ');
  const staging = `staging_${importId}`;
  await sql.query(
    `UPDATE ${staging} s SET ${set} FROM import_correction k WHERE k.import_id = $1 AND k.line = s.line`,
    [importId],
  );
  return select(
    sql,
    `SELECT line FROM import_correction k WHERE import_id = $1 AND NOT EXISTS (SELECT FROM ${staging} s WHERE s.line = k.line)
      ORDER BY line`,
    [importId],
  );
}

/** All of an import's, or those of some lines. */
export async function deleteCorrections(sql: Sql, importId: bigint, lines?: readonly bigint[]): Promise<void> {
  await sql.query('DELETE FROM import_correction WHERE import_id = $1 AND ($2::bigint[] IS NULL OR line = ANY($2))', [
    importId,
    lines ?? null,
  ]);
}

/** The corrected rows of these lines. */
export function selectCorrections(
  sql: Sql,
  importId: bigint,
  lines: readonly number[],
): Promise<{ line: bigint; values: (string | null)[] }[]> {
  return select(
    sql,
    'SELECT line, fields AS "values" FROM import_correction WHERE import_id = $1 AND line = ANY($2::bigint[])',
    [importId, lines],
  );
}

async function hasCorrections(sql: Sql, importId: bigint): Promise<boolean> {
  return (await select(sql, 'SELECT 1 FROM import_correction WHERE import_id = $1 LIMIT 1', [importId])).length > 0;
}
