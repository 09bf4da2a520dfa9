import type { InboxDirectory } from '@postloop/contracts';
import { loadSql, type Sql, select, selectOptional } from './sql.js';

// What is to go from the SFTP server when its time is over (spec 1). Only names that stand here are Postloop's to remove.

export interface SweptClient {
  id: bigint;
  directory: string;
  sftpAccount: string | null;
  settings: unknown;
}

const CLAIM = loadSql(import.meta.url, 'retention-claim-sweep.sql');

/** Takes a client whose old files are due to be looked for, until then: another scheduler takes it afterwards. */
export function claimSweep(sql: Sql, now: Date, until: Date): Promise<SweptClient | undefined> {
  return selectOptional(sql, CLAIM, [now, until]);
}

export async function setSweepDue(sql: Sql, clientId: bigint, dueAt: Date): Promise<void> {
  await sql.query('UPDATE file_sweep SET due_at = $2 WHERE client_id = $1', [clientId, dueAt]);
}

export interface KnownUpload {
  fileName: string;
  directory: InboxDirectory;
  /** Of the newest import of this name. */
  changedAt: Date;
}

/** Which of these names came as uploads of the client. Those that a stopped directory waits for are left out. */
export function selectKnownUploads(sql: Sql, clientId: bigint, names: readonly string[]): Promise<KnownUpload[]> {
  return select(
    sql,
    `SELECT i.file_name AS "fileName", i.directory, max(i.changed_at) AS "changedAt"
       FROM import i LEFT JOIN inbox b ON b.import_id = i.id
      WHERE i.client_id = $1 AND i.file_name = ANY($2) GROUP BY i.file_name, i.directory HAVING count(b.import_id) = 0`,
    [clientId, names],
  );
}

/** Which of these names are response files of the client. */
export async function selectKnownExportFiles(sql: Sql, clientId: bigint, names: readonly string[]): Promise<string[]> {
  const rows = await select<{ name: string }>(
    sql,
    `SELECT DISTINCT f.name FROM export e, jsonb_to_recordset(e.files) AS f(name text) WHERE e.client_id = $1 AND f.name = ANY($2)`,
    [clientId, names],
  );
  return rows.map(({ name }) => name);
}
