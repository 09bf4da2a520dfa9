import { readFileSync } from 'node:fs';
import type pg from 'pg';

/** Anything that runs a statement: the pool, or a client inside a transaction. */
export interface Sql {
  query: pg.Pool['query'];
}

/** Reads the statement that stands beside the calling module: `loadSql(import.meta.url, 'claim.sql')`. */
export function loadSql(moduleUrl: string, name: string): string {
  return readFileSync(new URL(`../src/${name}`, moduleUrl), 'utf8');
}

/** All rows. The caller names the row's shape; columns are aliased to it in the statement. */
export async function select<Row extends object>(sql: Sql, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await sql.query<Row>(text, values)).rows;
}

/** The only row, or undefined. */
export async function selectOptional<Row extends object>(
  sql: Sql,
  text: string,
  values: unknown[] = [],
): Promise<Row | undefined> {
  return (await select<Row>(sql, text, values))[0];
}

/** The only row; throws when there is none. */
export async function selectOne<Row extends object>(sql: Sql, text: string, values: unknown[] = []): Promise<Row> {
  const row = await selectOptional<Row>(sql, text, values);
  if (!row) throw new Error(`no row from: ${text.slice(0, 80)}`);
  return row;
}

/** Runs a statement; the number of rows it touched. */
export async function execute(sql: Sql, text: string, values: unknown[] = []): Promise<number> {
  return (await sql.query(text, values)).rowCount ?? 0;
}
