import type { Writable } from 'node:stream';
import { type FileFault, FileRejected } from '@postloop/contracts';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ProductFileKind } from './product.js';
import { execute, loadSql, type Sql, select, selectOne } from './sql.js';

// The rows of a product file on their way in, as those of a recipient file (staging.ts).

const tableOf = (importId: bigint): string => `product_staging_${importId}`;
const columnsOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `c${index + 1}`);

export async function createProductStaging(sql: Sql, importId: bigint, columns: number): Promise<void> {
  await dropProductStaging(sql, importId);
  const definitions = columnsOf(columns).map((column) => `${column} text`);
  await sql.query(
    `CREATE UNLOGGED TABLE ${tableOf(importId)} (line bigint NOT NULL, ${definitions.join(', ')}) WITH (autovacuum_enabled = off)`,
  );
}

export async function dropProductStaging(sql: Sql, importId: bigint): Promise<void> {
  await sql.query(`DROP TABLE IF EXISTS ${tableOf(importId)}`);
}

/** A sink for records in the files' dialect, each with its line number in front. */
export function copyIntoProductStaging(client: pg.PoolClient, importId: bigint, columns: number): Writable {
  return client.query(
    copyFrom(
      `COPY ${tableOf(importId)} (line, ${columnsOf(columns).join(', ')}) FROM STDIN (FORMAT csv, DELIMITER ';', NULL '')`,
    ),
  );
}

/** The header came in with the rows; it is none. */
export async function dropHeaderRow(sql: Sql, importId: bigint, line: number): Promise<void> {
  await sql.query(`DELETE FROM ${tableOf(importId)} WHERE line = $1`, [line]);
}

/** Characters of a product ID. */
const ID_LENGTH = 128;
const TOLD = 1_000;

/** Rows without a usable ID reject the file: who names such a product could never get it. @throws FileRejected */
export async function checkProductRows(sql: Sql, importId: bigint): Promise<void> {
  const bad = await select<{ line: bigint; missing: boolean }>(
    sql,
    `SELECT line, btrim(coalesce(c1, '')) = '' AS missing FROM ${tableOf(importId)}
      WHERE btrim(coalesce(c1, '')) = '' OR length(btrim(c1)) > ${ID_LENGTH} OR c1 LIKE '%,%' ORDER BY line LIMIT ${TOLD}`,
  );
  const [first, ...rest] = bad.map(
    ({ line, missing }): FileFault => ({
      code: 'bad_value',
      line: Number(line),
      column: 1,
      message: missing
        ? 'the product has no ID.'
        : `the product's ID has a comma in it, or more than ${ID_LENGTH} characters.`,
      remedy: 'Correct the ID and upload the file again under a new name.',
    }),
  );
  if (first) throw new FileRejected([first, ...rest]);
}

const STORE: Record<ProductFileKind, string> = {
  products: loadSql(import.meta.url, 'product-store.sql'),
  recommendations: loadSql(import.meta.url, 'product-store-recommendations.sql'),
};

/**
 * Makes the staged rows a new version, which replaces the client's last one for the mailings that are built from now on.
 * Of several rows with one ID the first counts. @returns the version and how many rows repeated an ID
 */
export async function storeProductVersion(
  sql: Sql,
  file: { importId: bigint; clientId: bigint; kind: ProductFileKind; columns: readonly string[] },
): Promise<{ versionId: bigint; rows: bigint; repeated: bigint }> {
  const table = tableOf(file.importId);
  const { id } = await selectOne<{ id: bigint }>(
    sql,
    'INSERT INTO product_version (client_id, import_id, kind, columns, rows) VALUES ($1, $2, $3, $4, 0) RETURNING id',
    [file.clientId, file.importId, file.kind, file.columns],
  );
  const stored = await execute(
    sql,
    STORE[file.kind].replaceAll(':staging', table).replaceAll(':columns', columnsOf(file.columns.length).join(', ')),
    [id],
  );
  const { all } = await selectOne<{ all: bigint }>(sql, `SELECT count(*) AS all FROM ${table}`);
  const rows = BigInt(stored);
  await sql.query('UPDATE product_version SET rows = $2 WHERE id = $1', [id, rows]);
  return { versionId: id, rows, repeated: file.kind === 'products' ? all - rows : 0n };
}

/** The rows are products now: the file enters the ledger. */
export async function acceptProductFile(
  sql: Sql,
  importId: bigint,
  facts: { sha256: Buffer; rows: bigint; repeated: bigint },
): Promise<void> {
  await sql.query(
    `UPDATE import SET accepted = true, status = 'stored', sha256 = $2, rows = $3, duplicate = $4, changed_at = now() WHERE id = $1`,
    [importId, facts.sha256, facts.rows, facts.repeated],
  );
}
