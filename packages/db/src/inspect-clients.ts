import { type Sql, select, selectOptional } from './sql.js';

// Reads for people who look, as in inspect.ts: clients and what belongs to them.

export interface ClientSummary {
  id: bigint;
  name: string;
  directory: string;
  timeZone: string;
  /** Null: the one for all. */
  sftpAccount: string | null;
  sourceMailings: bigint;
  imports: bigint;
}

const CLIENTS = `SELECT c.id, c.name, c.directory, c.time_zone AS "timeZone", c.sftp_account AS "sftpAccount",
    (SELECT count(*) FROM source_mailing s WHERE s.client_id = c.id) AS "sourceMailings",
    (SELECT count(*) FROM import i WHERE i.client_id = c.id) AS imports
  FROM client c`;

export function selectClients(sql: Sql): Promise<ClientSummary[]> {
  return select(sql, `${CLIENTS} ORDER BY c.name`);
}

/** By name, directory or ID, in this order. */
export async function selectClientNamed(sql: Sql, text: string): Promise<ClientSummary | undefined> {
  const id = /^\d{1,18}$/.test(text) ? BigInt(text) : null;
  return selectOptional(
    sql,
    `${CLIENTS} WHERE c.name = $1 OR c.directory = $1 OR c.id = $2 ORDER BY c.name = $1 DESC, c.directory = $1 DESC LIMIT 1`,
    [text, id],
  );
}

export interface SourceMailingSummary {
  id: bigint;
  clientId: bigint;
  clientName: string;
  name: string;
  status: string;
  subject: string;
  updatedAt: Date;
}

/** All clients' when `clientId` is null. */
export function selectSourceMailingSummaries(sql: Sql, clientId: bigint | null): Promise<SourceMailingSummary[]> {
  return select(
    sql,
    `SELECT s.id, s.client_id AS "clientId", c.name AS "clientName", s.name, s.status, s.subject, s.updated_at AS "updatedAt"
       FROM source_mailing s JOIN client c ON c.id = s.client_id
      WHERE $1::bigint IS NULL OR s.client_id = $1 ORDER BY c.name, s.name`,
    [clientId],
  );
}

export function selectSchedulesOfClient(
  sql: Sql,
  clientId: bigint,
): Promise<{ kind: string; cron: string; nextDueAt: Date | null; lastRunAt: Date | null }[]> {
  return select(
    sql,
    `SELECT kind, cron, next_due_at AS "nextDueAt", last_run_at AS "lastRunAt" FROM schedule WHERE client_id = $1 ORDER BY kind`,
    [clientId],
  );
}

/** The name of a client's master list; undefined when it has none yet. */
export async function selectMasterListName(sql: Sql, clientId: bigint): Promise<string | undefined> {
  const [list] = await select<{ name: string }>(
    sql,
    `SELECT name FROM recipient_list WHERE client_id = $1 AND kind = 'master' ORDER BY id LIMIT 1`,
    [clientId],
  );
  return list?.name;
}
