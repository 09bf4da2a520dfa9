import type { FileFault, InboxDirectory } from '@postloop/contracts';
import type { Database } from './database.js';
import { haltInbox, isHalted } from './inbox.js';
import { execute, type Sql, select, selectOptional } from './sql.js';

export type { InboxDirectory };
/** `stored`: product data. `restarted` and `skipped`: the file was an order. */
export type ImportStatus =
  | 'claiming'
  | 'claimed'
  | 'imported'
  | 'started'
  | 'empty'
  | 'stored'
  | 'failed'
  | 'ignored'
  | 'restarted'
  | 'skipped';

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
  /** Its rows are stored. */
  accepted: boolean;
  /** The file lies in `done/` or `failed/`. */
  filed: boolean;
  clientDirectory: string;
  sftpAccount: string | null;
  badRowShare: number;
  /** Content that was accepted before is refused under a new name. */
  contentOnce: boolean;
  /** Null: never. */
  restartedAt: Date | null;
  faults: FileFault[] | null;
}

const SELECT = `SELECT i.id, i.client_id AS "clientId", i.directory, i.file_name AS "fileName", i.size, i.modified_at AS "modifiedAt",
    i.status, i.accepted, i.filed, i.faults, i.content_once AS "contentOnce", i.restarted_at AS "restartedAt",
    c.directory AS "clientDirectory", c.sftp_account AS "sftpAccount", c.bad_row_share AS "badRowShare"
  FROM import i JOIN client c ON c.id = i.client_id`;

/**
 * Says that this file is about to be taken. One file per directory can be in this state, whoever polls.
 * `order`: the file is one, and comes through a halt.
 * @returns the import's ID; null when the directory is busy or halted, or a file of this name lies in `processing/`
 */
export function insertClaim(
  db: Database,
  file: InboxFile & { contentOnce: boolean; order: boolean },
): Promise<bigint | null> {
  return db.transaction(async (sql) => {
    const row = await selectOptional<{ id: bigint }>(
      sql,
      `INSERT INTO import (client_id, directory, file_name, size, modified_at, content_once) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING id`,
      [file.clientId, file.directory, file.fileName, file.size, file.modifiedAt, file.contentOnce],
    );
    if (!row) return null;
    // Asked only now: the insert waited for the import before, which may have failed.
    if (file.order || !(await isHalted(sql, file))) return row.id;
    await deleteClaim(sql, row.id);
    return null;
  });
}

/** The claims that a poller began and did not end: `rename` may or may not have happened. */
export function selectUnfinishedClaims(sql: Sql, clientId: bigint): Promise<ImportRow[]> {
  return select(sql, `${SELECT} WHERE i.client_id = $1 AND i.status = 'claiming'`, [clientId]);
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

/**
 * Ends an import without sending; in a transaction, for a failure halts its inbox. `ignored`: there was nothing to do for
 * the file.
 */
export async function endImport(
  sql: Sql,
  id: bigint,
  status: 'failed' | 'ignored',
  faults: readonly FileFault[],
): Promise<void> {
  if (status === 'failed') await haltInbox(sql, id);
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

/** What the ledger knows of this name or content (null: not known yet) in the client's directory. */
export function selectEarlierImports(
  sql: Sql,
  file: Pick<InboxFile, 'clientId' | 'directory' | 'fileName'>,
  sha256: Buffer | null,
): Promise<EarlierImport[]> {
  return select(
    sql,
    `SELECT file_name AS "fileName", file_name = $3 AS "sameName", coalesce(sha256 = $4, false) AS "sameContent"
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
