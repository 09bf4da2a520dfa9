import { type InboxDirectory, readInboxOrder } from '@postloop/contracts';
import { selectClientSettings } from './client.js';
import { execute, type Sql, select, selectOne } from './sql.js';

// Where uploads arrive, one row per client and directory that ever halted. After an error nothing more is taken from it until
// the file that failed is restarted or given up (spec 6).

/** An import failed: its inbox halts, if the client wants it so. In the transaction of the failure. */
export async function haltInbox(sql: Sql, importId: bigint): Promise<void> {
  const { clientId, fileName } = await selectOne<{ clientId: bigint; fileName: string }>(
    sql,
    'SELECT client_id AS "clientId", file_name AS "fileName" FROM import WHERE id = $1',
    [importId],
  );
  if (readInboxOrder(fileName)) return; // a faulty order changes nothing
  const { onError } = await selectClientSettings(sql, clientId);
  if (!onError.halt) return;
  await sql.query(
    `INSERT INTO inbox (client_id, directory, halted_at, import_id) SELECT client_id, directory, now(), id FROM import WHERE id = $1
     ON CONFLICT (client_id, directory) DO UPDATE SET halted_at = excluded.halted_at, import_id = excluded.import_id
       WHERE inbox.halted_at IS NULL`,
    [importId],
  );
}

/** @returns whether this import was what the inbox had halted for */
export async function liftHalt(sql: Sql, importId: bigint): Promise<boolean> {
  return (
    (await execute(sql, 'UPDATE inbox SET halted_at = NULL, import_id = NULL WHERE import_id = $1', [importId])) > 0
  );
}

export async function isHalted(
  sql: Sql,
  { clientId, directory }: { clientId: bigint; directory: InboxDirectory },
): Promise<boolean> {
  const halts = await selectHalts(sql, clientId);
  return halts.some((halt) => halt.directory === directory);
}

export interface Halt {
  clientId: bigint;
  clientName: string;
  directory: InboxDirectory;
  haltedAt: Date;
  /** What failed. */
  importId: bigint;
  fileName: string;
}

/** Inboxes from which nothing is taken; all clients' when `clientId` is null. */
export function selectHalts(sql: Sql, clientId: bigint | null): Promise<Halt[]> {
  return select(
    sql,
    `SELECT b.client_id AS "clientId", c.name AS "clientName", b.directory, b.halted_at AS "haltedAt", b.import_id AS "importId",
            i.file_name AS "fileName"
       FROM inbox b JOIN client c ON c.id = b.client_id JOIN import i ON i.id = b.import_id
      WHERE b.halted_at IS NOT NULL AND ($1::bigint IS NULL OR b.client_id = $1) ORDER BY b.halted_at`,
    [clientId],
  );
}
