import type { Database } from './database.js';
import type { ResponseFileKind } from './export-columns.js';
import { type ExportSettings, readExportSettings, selectExportSettings } from './export-settings.js';
import { loadSql, type Sql, select, selectOne, selectOptional } from './sql.js';

export interface ExportedFile {
  kind: ResponseFileKind;
  name: string;
  rows: number;
  bytes: number;
  /** Of the file as it was published, in hexadecimal. */
  sha256: string;
  /** Characters that the file's encoding does not have, written as `?`; left out when there are none. */
  replaced?: number;
}

/** One run of the response files: everything of the client with from < ticket <= to. */
export interface ExportRun {
  id: bigint;
  clientId: bigint;
  clientDirectory: string;
  /** By its name in the configuration; null: the one for all. */
  sftpAccount: string | null;
  /** Numbers the client's runs, from 1. */
  run: number;
  fromTicket: bigint;
  toTicket: bigint;
  /** `YYYYMMDD` in the client's zone. */
  day: string;
  runOfDay: number;
  settings: ExportSettings;
  status: 'planned' | 'done';
  /** What was published; of a planned run: before it was to be repeated. */
  files: ExportedFile[];
}

const SELECT = `SELECT e.id, e.client_id AS "clientId", c.directory AS "clientDirectory", c.sftp_account AS "sftpAccount", e.run, e.from_ticket AS "fromTicket", e.to_ticket AS "toTicket",
    to_char(e.day, 'YYYYMMDD') AS day, e.run_of_day AS "runOfDay", e.settings, e.status, e.files
  FROM export e JOIN client c ON c.id = e.client_id`;

type Row = Omit<ExportRun, 'settings'> & { settings: Parameters<typeof readExportSettings>[0] };

async function selectRuns(sql: Sql, condition: string, values: unknown[]): Promise<ExportRun[]> {
  const rows = await select<Row>(sql, `${SELECT} WHERE ${condition} ORDER BY e.run`, values);
  return rows.map((row) => ({ ...row, settings: readExportSettings(row.settings) }));
}

const NEVER_PUBLISHED = `e.status = 'planned' AND e.files = '[]'`;

/**
 * Fixes what the client's next run holds and looks like before a byte of it is written: a run that was planned and not
 * finished is taken up again with the same bounds, names and settings. The ticket row is locked, so two planners make one run,
 * and `last` is the ticket of the last batch that committed.
 */
export async function planExport(db: Database, clientId: bigint, now: Date): Promise<ExportRun> {
  const run = await db.transaction(async (sql) => {
    await sql.query('INSERT INTO export_ticket (client_id) VALUES ($1) ON CONFLICT DO NOTHING', [clientId]);
    const { last } = await selectOne<{ last: bigint }>(
      sql,
      'SELECT last FROM export_ticket WHERE client_id = $1 FOR UPDATE',
      [clientId],
    );
    const [planned] = await selectRuns(sql, `e.client_id = $1 AND ${NEVER_PUBLISHED}`, [clientId]);
    if (planned) return planned;
    const settings = await selectExportSettings(sql, clientId);
    const { id } = await selectOne<{ id: bigint }>(sql, PLAN, [clientId, last, now, JSON.stringify(settings)]);
    const [made] = await selectRuns(sql, 'e.id = $1', [id]);
    if (!made) throw new Error(`export ${id} is gone`);
    return made;
  });
  await pinDeliveries(db, run.id);
  return run;
}

const PLAN = loadSql(import.meta.url, 'export-plan.sql');
const PIN = loadSql(import.meta.url, 'export-pin.sql');

/** In a transaction of its own: it looks at every delivery of a mailing, and recorders of events wait for the ticket. */
async function pinDeliveries(db: Database, id: bigint): Promise<void> {
  await db.transaction(async (sql) => {
    const due = await selectOptional(
      sql,
      'UPDATE export SET pinned_at = now() WHERE id = $1 AND pinned_at IS NULL RETURNING id',
      [id],
    );
    if (due) await sql.query(PIN, [id]);
  });
}

/** What is to be written: a run that was planned and never finished, and runs that are to be repeated. */
export async function selectPlannedExports(db: Database, clientId: bigint): Promise<ExportRun[]> {
  const runs = await selectRuns(db.pool, `e.client_id = $1 AND e.status = 'planned'`, [clientId]);
  for (const { id } of runs) await pinDeliveries(db, id);
  return runs;
}

export async function finishExport(sql: Sql, id: bigint, files: readonly ExportedFile[]): Promise<void> {
  await sql.query(`UPDATE export SET status = 'done', files = $2, finished_at = now() WHERE id = $1`, [
    id,
    JSON.stringify(files),
  ]);
}

/**
 * Has a finished run written once more, with the bounds, names and settings that it had: `responseExport` with `resume` is to be
 * enqueued. @returns false, with nothing changed, unless it is finished
 */
export async function repeatExport(sql: Sql, id: bigint): Promise<boolean> {
  const repeated = await select(
    sql,
    `UPDATE export SET status = 'planned', finished_at = NULL WHERE id = $1 AND status = 'done' RETURNING id`,
    [id],
  );
  return repeated.length > 0;
}

/** Clients whose run was planned and not finished for `olderThanMs`. */
export function selectUnfinishedExports(sql: Sql, olderThanMs: number): Promise<{ clientId: bigint }[]> {
  return select(
    sql,
    `SELECT DISTINCT client_id AS "clientId" FROM export
      WHERE status = 'planned' AND created_at < now() - $1 * interval '1 ms' AND module_is_on(client_id, 'export')`,
    [olderThanMs],
  );
}

export function selectExports(sql: Sql, clientId: bigint): Promise<ExportRun[]> {
  return selectRuns(sql, 'e.client_id = $1', [clientId]);
}

export async function selectExport(sql: Sql, id: bigint): Promise<ExportRun | undefined> {
  return (await selectRuns(sql, 'e.id = $1', [id]))[0];
}
