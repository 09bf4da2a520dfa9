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

/**
 * A statement that each connection parses and plans once: for those that run many times a second and look rows up by key. One
 * that names a range needs a plan for its range: the general one reads far too much.
 */
export interface Prepared {
  name: string;
  text: string;
}

/** As `loadSql`, prepared under the file's name. */
export function loadPrepared(moduleUrl: string, name: string): Prepared {
  return { name, text: loadSql(moduleUrl, name) };
}

/** All rows. The caller names the row's shape; columns are aliased to it in the statement. */
export async function select<Row extends object>(
  sql: Sql,
  statement: string | Prepared,
  values: unknown[] = [],
): Promise<Row[]> {
  const prepared = typeof statement === 'string' ? { text: statement } : statement;
  return (await sql.query<Row>({ ...prepared, values })).rows;
}

/** The only row, or undefined. */
export async function selectOptional<Row extends object>(
  sql: Sql,
  statement: string | Prepared,
  values: unknown[] = [],
): Promise<Row | undefined> {
  return (await select<Row>(sql, statement, values))[0];
}

/** The only row; throws when there is none. */
export async function selectOne<Row extends object>(
  sql: Sql,
  statement: string | Prepared,
  values: unknown[] = [],
): Promise<Row> {
  const row = await selectOptional<Row>(sql, statement, values);
  if (!row) throw new Error(`no row from: ${typeof statement === 'string' ? statement.slice(0, 80) : statement.name}`);
  return row;
}

/** Runs a statement; the number of rows it touched. */
export async function execute(sql: Sql, text: string, values: unknown[] = []): Promise<number> {
  return (await sql.query(text, values)).rowCount ?? 0;
}
