import type { FileFault } from '@postloop/contracts';
import { execute, type Sql, select, selectOptional } from './sql.js';

export type InboxDirectory = 'import' | 'test';
export type ImportStatus = 'claiming' | 'claimed' | 'imported' | 'started' | 'empty' | 'failed' | 'ignored';

export interface InboxFile {
  clientId: bigint;
  directory: InboxDirectory;
  fileName: string;
  /** Bytes. */
  size: bigint;
  modifiedAt: Date;
}

export interface ImportRow extends InboxFile {
  id: bigint;
  status: ImportStatus;
  /** The file lies in `done/` or `failed/`. */
  filed: boolean;
  clientDirectory: string;
  badRowShare: number;
  faults: FileFault[] | null;
}

const SELECT = `SELECT i.id, i.client_id AS "clientId", i.directory, i.file_name AS "fileName", i.size, i.modified_at AS "modifiedAt",
    i.status, i.filed, i.faults, c.directory AS "clientDirectory", c.bad_row_share AS "badRowShare"
  FROM import i JOIN client c ON c.id = i.client_id`;

/**
 * Says that this file is about to be taken. One file per directory can be in this state, whoever polls.
 * @returns the import's ID; null when the directory is busy
 */
export async function insertClaim(sql: Sql, file: InboxFile): Promise<bigint | null> {
  const row = await selectOptional<{ id: bigint }>(
    sql,
    `INSERT INTO import (client_id, directory, file_name, size, modified_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (client_id, directory) WHERE status IN ('claiming', 'claimed') DO NOTHING RETURNING id`,
    [file.clientId, file.directory, file.fileName, file.size, file.modifiedAt],
  );
  return row?.id ?? null;
}

/** The claim that a poller began and did not end, if any: `rename` may or may not have happened. */
export function selectUnfinishedClaim(
  sql: Sql,
  clientId: bigint,
  directory: InboxDirectory,
): Promise<ImportRow | undefined> {
  return selectOptional(sql, `${SELECT} WHERE i.client_id = $1 AND i.directory = $2 AND i.status = 'claiming'`, [
    clientId,
    directory,
  ]);
}

/** The file is in `processing/`. `traceparent` (W3C Trace Context) is where its trace begins; null without tracing. */
export async function markClaimed(sql: Sql, id: bigint, traceparent: string | null = null): Promise<void> {
  await sql.query(
    `UPDATE import SET status = 'claimed', traceparent = $2, changed_at = now() WHERE id = $1 AND status = 'claiming'`,
    [id, traceparent],
  );
}

/** The file was gone before it could be taken: as if it had never been seen. */
export async function deleteClaim(sql: Sql, id: bigint): Promise<void> {
  await sql.query(`DELETE FROM import WHERE id = $1 AND status = 'claiming'`, [id]);
}

export function selectImport(sql: Sql, id: bigint): Promise<ImportRow | undefined> {
  return selectOptional(sql, `${SELECT} WHERE i.id = $1`, [id]);
}

/** Ends an import without sending. `ignored`: the same file came before. */
export async function endImport(
  sql: Sql,
  id: bigint,
  status: 'failed' | 'ignored',
  faults: readonly FileFault[],
): Promise<void> {
  await sql.query('UPDATE import SET status = $2, faults = $3, changed_at = now() WHERE id = $1', [
    id,
    status,
    JSON.stringify(faults),
  ]);
}

export async function markFiled(sql: Sql, id: bigint): Promise<void> {
  await sql.query('UPDATE import SET filed = true WHERE id = $1', [id]);
}

export interface EarlierImport {
  fileName: string;
  sameName: boolean;
  sameContent: boolean;
}

/** What the ledger knows of this name or content in the client's directory. */
export function selectEarlierImports(
  sql: Sql,
  file: Pick<InboxFile, 'clientId' | 'directory' | 'fileName'>,
  sha256: Buffer,
): Promise<EarlierImport[]> {
  return select(
    sql,
    `SELECT file_name AS "fileName", file_name = $3 AS "sameName", sha256 = $4 AS "sameContent"
       FROM import
      WHERE accepted AND client_id = $1 AND directory = $2 AND (file_name = $3 OR sha256 = $4)`,
    [file.clientId, file.directory, file.fileName, sha256],
  );
}

/** Imports whose stage may have been forgotten by the queue: nothing changed for `olderThanMs`. */
export function selectStaleImports(
  sql: Sql,
  olderThanMs: number,
): Promise<{ id: bigint; clientId: bigint; status: ImportStatus; filed: boolean }[]> {
  return select(
    sql,
    `SELECT id, client_id AS "clientId", status, filed FROM import
      WHERE (status IN ('claiming', 'claimed', 'imported') OR NOT filed) AND changed_at < now() - $1 * interval '1 ms'
      ORDER BY id LIMIT 1000`,
    [olderThanMs],
  );
}

/** A pulse of the running import, so that the reconciler leaves it alone. */
export async function touchImport(sql: Sql, id: bigint): Promise<number> {
  return execute(sql, 'UPDATE import SET changed_at = now() WHERE id = $1', [id]);
}
