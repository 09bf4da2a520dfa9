import type pg from 'pg';
import { CopyOut } from './copy-out.js';
import type { Database } from './database.js';
import type { ExportRun } from './export.js';
import { type CsvFileKind, csvFileKinds, type ExportColumn, exportColumns } from './export-columns.js';
import { loadSql, type Sql, select, selectOne } from './sql.js';
import { type TicketSlice, TicketSlices } from './ticket-slices.js';

// Each statement gives every column that its file can have under any settings, and `major, minor`, the order of its rows.
const STATEMENTS = Object.fromEntries(
  csvFileKinds.map((kind) => [kind, loadSql(import.meta.url, `export-${kind}.sql`)]),
) as Record<CsvFileKind, string>;
const EVENTS_AS_PLANNED = loadSql(import.meta.url, 'export-events-as-planned.sql');

/** Two connections that see the same state of the database: one sorts the next rows while those of the other are read. */
export type Snapshot = readonly [pg.PoolClient, pg.PoolClient];

/**
 * The rows of one file in UTF-8, without header and each ended by LF, straight from COPY: it runs at 750 k rows/s where a
 * cursor and a CSV writer in JavaScript run at 140 k. What is ordered by ticket comes slice by slice, each sorted in memory.
 * @returns the number of rows
 */
export async function* copyExportRows(
  snapshot: Snapshot,
  run: ExportRun,
  kind: CsvFileKind,
): AsyncGenerator<Buffer, number> {
  let [idle, busy] = snapshot;
  const copyOf = await copyStatement(idle, run, kind);
  const sliced = STATEMENTS[kind].includes(':upTo');
  for (const client of snapshot) await client.query(`SET LOCAL parallel_tuple_cost = ${sliced ? 1 : 0.1}`);
  const slices = new TicketSlices(run, sliced);
  const started: { slice: TicketSlice; copied: CopyOut }[] = [];
  let rows = 0;
  for (;;) {
    const slice = slices.next();
    if (slice) {
      started.push({ slice, copied: idle.query(quiet(new CopyOut(copyOf(slice)))) });
      [idle, busy] = [busy, idle];
      if (started.length < snapshot.length) continue;
    }
    const first = started.shift();
    if (!first) return rows;
    yield* first.copied;
    rows += first.copied.rowCount;
    slices.held(first.slice, first.copied.rowCount);
  }
}

/** Its error is thrown where it is read, which may be later. */
function quiet(copied: CopyOut): CopyOut {
  return copied.on('error', () => undefined);
}

/** COPY takes no parameters, so the values are written into it: numbers, and a delimiter and column names from fixed sets. */
async function copyStatement(
  client: pg.PoolClient,
  run: ExportRun,
  kind: CsvFileKind,
): Promise<(slice: TicketSlice) => string> {
  const { settings } = run;
  const judgedAnew = await isJudgedAnew(client, run);
  const columns = exportColumns(kind, settings)
    .map((column) => expressionOf(client, column))
    .join(', ');
  const options = [
    'FORMAT csv',
    `DELIMITER ${client.escapeLiteral(settings.delimiter)}`,
    "NULL ''",
    "ENCODING 'UTF8'",
    ...(settings.quotes === 'always' ? ['FORCE_QUOTE *'] : []),
  ].join(', ');
  return (slice) => {
    const statement = statementOf(run, kind, judgedAnew, slice);
    return `COPY (SELECT ${columns} FROM (${statement}) x ORDER BY major, minor) TO STDOUT (${options})`;
  };
}

/** Each import has its own list, so a field is found though the columns of the client's files have changed since. */
const expressionOf = (client: pg.PoolClient, { name, field }: ExportColumn): string =>
  field
    ? `fields[(SELECT f.ordinal FROM recipient_list_field f WHERE f.list_id = "listId" AND f.name = ${client.escapeLiteral(name)})]`
    : `"${name}"`;

/** Are there events whose judgement has changed since the run was planned? Hardly ever, and the join costs a tenth of the time. */
async function isJudgedAnew(sql: Sql, { clientId, toTicket }: ExportRun): Promise<boolean> {
  const judged = 'SELECT 1 FROM event_earlier WHERE client_id = $1 AND before_ticket > $2 LIMIT 1';
  return (await select(sql, judged, [clientId, toTicket])).length > 0;
}

function statementOf(run: ExportRun, kind: CsvFileKind, judgedAnew: boolean, slice: TicketSlice): string {
  const values = new Map([
    ['client', run.clientId.toString()],
    ['export', run.id.toString()],
    ['from', run.fromTicket.toString()],
    ['to', run.toTicket.toString()],
    ['after', slice.after.toString()],
    ['upTo', slice.upTo.toString()],
    ['whenStarted', String(run.settings.whenStarted)],
    ['withoutCampaign', String(run.settings.withoutCampaign === 'include')],
  ]);
  const filled = (sql: string) =>
    sql.replace(/(?<!:):([a-zA-Z]+)\b/g, (found, name: string) => values.get(name) ?? found);
  values.set('events', judgedAnew ? `(${filled(EVENTS_AS_PLANNED)})` : 'event');
  return filled(STATEMENTS[kind]);
}

/** Reading transactions in the run's time zone: all its files show the same state of the database. */
export function withSnapshot<T>(db: Database, run: ExportRun, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return reading(db, run, async (first) => {
    const { id } = await selectOne<{ id: string }>(first, 'SELECT pg_export_snapshot() AS id');
    return reading(db, run, (second) => work([first, second]), id);
  });
}

async function reading<T>(
  db: Database,
  { settings }: ExportRun,
  work: (client: pg.PoolClient) => Promise<T>,
  snapshot?: string,
): Promise<T> {
  const client = await db.pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    if (snapshot) await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(snapshot)}`);
    await client.query(SESSION);
    // The session's own zone: AT TIME ZONE looks its name up for each row.
    await client.query("SELECT set_config('TimeZone', $1, true)", [settings.timeZone]);
    const result = await work(client);
    await client.query('COMMIT');
    broken = false;
    return result;
  } finally {
    client.release(broken); // a COPY that was cut off leaves the connection unusable
  }
}

/**
 * Times as YYYY-MM-DD HH:MM:SS, faster than by to_char. A slice of events is sorted without going to disk, and by one process:
 * the other core has the other connection's. And one may stand still as long as the SFTP server takes for the other's rows.
 */
const SESSION = `
  SET LOCAL datestyle = 'ISO';
  SET LOCAL work_mem = '96MB';
  SET LOCAL idle_in_transaction_session_timeout = 0`;

export interface PersonalisedLink {
  mailingId: bigint;
  sourceMailingId: bigint;
  ordinal: number;
  name: string;
}

/** Personalised links of the run's mailings: each recipient has a row of its own in the links file. */
export function selectPersonalisedLinks(sql: Sql, run: ExportRun): Promise<PersonalisedLink[]> {
  return select(
    sql,
    `SELECT l.mailing_id AS "mailingId", m.source_mailing_id AS "sourceMailingId", l.ordinal, l.name
       FROM mailing m JOIN link l ON l.mailing_id = m.id
      WHERE m.client_id = $1 AND m.finished_ticket > $2 AND m.finished_ticket <= $3 AND NOT m.test AND l.personalised AND l.purpose = 'click'
      ORDER BY l.mailing_id, l.ordinal`,
    [run.clientId, run.fromTicket, run.toTicket],
  );
}

export interface RecipientFields {
  id: bigint;
  fields: (string | null)[];
}

const SENT_RECIPIENTS = loadSql(import.meta.url, 'export-sent-recipients.sql');

/** The next recipients of a mailing that were sent to, as the run's log says (keyset by ID). */
export function selectSentRecipientsAfter(
  sql: Sql,
  run: Pick<ExportRun, 'id'>,
  mailingId: bigint,
  afterId: bigint,
  limit: number,
): Promise<RecipientFields[]> {
  return select(sql, SENT_RECIPIENTS, [run.id, mailingId, afterId, limit]);
}
