import type { InboxDirectory } from '@postloop/contracts';
import type { Database } from './database.js';
import type { ImportStatus } from './import.js';
import { deleteCorrections } from './import-corrections.js';
import { liftHalt } from './inbox.js';
import { type Sql, selectOptional } from './sql.js';

// Failed imports that go on (spec 5), under their own ID and each in one transaction. `fileImport` is to be enqueued then; the
// importer brings the file to where it belongs.

/** `upload`: nothing was stored, the file is read again. `start`: its rows are stored, its mailings are built again. */
export type Restarted = 'upload' | 'start';

/**
 * Why nothing was changed. `filing`: its file is on the way to failed/. `busy`: another file of the directory is being
 * imported. `superseded`: a newer file of that name came, and took its place in failed/.
 */
export type RestartRefusal = 'unknown' | 'not_failed' | 'filing' | 'busy' | 'superseded';

export type RestartOutcome = { restarted: Restarted } | { refused: RestartRefusal; status?: ImportStatus };

/** Starts a failed import again, whoever asks how often, and lifts the halt of its inbox. In a transaction. */
export async function restartImport(sql: Sql, importId: bigint): Promise<RestartOutcome> {
  const row = await selectFailed(sql, importId);
  if (!row) return { refused: 'unknown' };
  if (row.status !== 'failed') return { refused: 'not_failed', status: row.status };
  if (!row.filed) return { refused: 'filing' };
  if (!row.accepted && row.superseded) return { refused: 'superseded' };
  if (!row.accepted && row.busy) return { refused: 'busy' };
  await sql.query(
    `UPDATE import SET status = CASE WHEN accepted THEN 'imported' ELSE 'claimed' END::import_status, filed = false, faults = NULL,
       restarted_at = now(), changed_at = now() WHERE id = $1`,
    [importId],
  );
  if (row.accepted)
    await sql.query(`UPDATE mailing SET status = 'building' WHERE import_id = $1 AND status = 'failed'`, [importId]);
  await liftHalt(sql, importId);
  return { restarted: row.accepted ? 'start' : 'upload' };
}

/** As `restartImport`, in a transaction of its own. */
export async function restartFailedImport(db: Database, importId: bigint): Promise<RestartOutcome> {
  try {
    return await db.transaction((sql) => restartImport(sql, importId));
  } catch (error) {
    // A poller took the next file in the same moment.
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return { refused: 'busy' };
    throw error;
  }
}

const UNIQUE_VIOLATION = '23505';

/** Gives a failed import up: it stays failed, and its inbox goes on. @returns whether the inbox had halted for it */
export async function skipImport(sql: Sql, importId: bigint): Promise<boolean> {
  const lifted = await liftHalt(sql, importId);
  if (lifted) await deleteCorrections(sql, importId);
  return lifted;
}

interface FailedImport {
  status: ImportStatus;
  accepted: boolean;
  filed: boolean;
  superseded: boolean;
  busy: boolean;
}

function selectFailed(sql: Sql, importId: bigint): Promise<FailedImport | undefined> {
  return selectOptional(
    sql,
    `SELECT i.status, i.accepted, i.filed,
            EXISTS (SELECT FROM import o WHERE o.client_id = i.client_id AND o.directory = i.directory AND o.file_name = i.file_name
                       AND o.id <> i.id AND (o.accepted OR o.id > i.id)) AS superseded,
            EXISTS (SELECT FROM import o WHERE o.client_id = i.client_id AND o.directory = i.directory AND o.id <> i.id
                       AND o.status IN ('claiming', 'claimed')) AS busy
       FROM import i WHERE i.id = $1 FOR UPDATE OF i`,
    [importId],
  );
}

/** The import that a file name means: the one that stored rows, else the newest. */
export function selectImportNamed(
  sql: Sql,
  file: { clientId: bigint; directory: InboxDirectory; fileName: string },
): Promise<{ id: bigint; status: ImportStatus; accepted: boolean } | undefined> {
  return selectOptional(
    sql,
    `SELECT id, status, accepted FROM import WHERE client_id = $1 AND directory = $2 AND file_name = $3
      ORDER BY accepted DESC, id DESC LIMIT 1`,
    [file.clientId, file.directory, file.fileName],
  );
}

/** The file was an order, which was carried out. In that transaction, and before it: the directory is free for the other import. */
export async function endOrder(sql: Sql, importId: bigint, status: 'restarted' | 'skipped'): Promise<void> {
  await sql.query('UPDATE import SET status = $2, changed_at = now() WHERE id = $1', [importId, status]);
}
