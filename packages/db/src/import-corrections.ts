import { type Sql, select } from './sql.js';

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

/** All of an import's, or those of some lines. */
export async function deleteCorrections(sql: Sql, importId: bigint, lines?: readonly bigint[]): Promise<void> {
  await sql.query('DELETE FROM import_correction WHERE import_id = $1 AND ($2::bigint[] IS NULL OR line = ANY($2))', [
    importId,
    lines ?? null,
  ]);
}

/** The corrected rows of these lines, or all of the import's. */
export function selectCorrections(
  sql: Sql,
  importId: bigint,
  lines: readonly number[] | null,
): Promise<{ line: bigint; values: (string | null)[] }[]> {
  return select(
    sql,
    `SELECT line, fields AS "values" FROM import_correction
      WHERE import_id = $1 AND ($2::bigint[] IS NULL OR line = ANY($2::bigint[])) ORDER BY line`,
    [importId, lines],
  );
}
