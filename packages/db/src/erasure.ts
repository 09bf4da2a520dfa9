import { erasePersonalContent } from './content.js';
import type { Database } from './database.js';
import type { ExportRun } from './export.js';
import { isReserved } from './export-columns.js';
import { execute, loadSql, type Sql, select, selectOne } from './sql.js';

// Erasing an address (spec 11): what is known of the person goes, numbers and counts stay, and who did not want mail goes on
// getting none, by a hash. Addresses are trimmed and in lower case.

/** What still moves and may write the address again. */
export interface ErasureObstacles {
  /** Mails that are being handed over: the server's answer will be recorded. */
  inFlight: number;
  /** Returned mails about it that wait to be looked at. */
  inbound: number;
}

const STOP = loadSql(import.meta.url, 'erasure-stop-sending.sql');

/** Nothing is sent to the address from now on by the mailings that are under way. @returns how many mails that were due */
export async function stopSendingTo(sql: Sql, address: string): Promise<number> {
  return execute(sql, STOP, [address]);
}

/** Looked at again until there are none. */
export function selectErasureObstacles(sql: Sql, address: string): Promise<ErasureObstacles> {
  return selectOne(
    sql,
    `SELECT (SELECT count(*)::int FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
              WHERE lower(r.email) = $1 AND d.status = 'in_flight') AS "inFlight",
            (SELECT count(*)::int FROM inbound_message WHERE status = 'received' AND ${RAW_HOLDS}) AS inbound`,
    [address],
  );
}

// Mails are ASCII where an address stands; other bytes are shown as \ooo.
const RAW_HOLDS = `(strpos(lower(encode(raw, 'escape')), $1) > 0 OR strpos(lower(envelope_to::text), $1) > 0 OR strpos(lower(envelope_from), $1) > 0)`;

/** Rows that changed, by what they are. */
export interface Erased {
  recipients: number;
  suppressions: number;
  events: number;
  responses: number;
  returnedMails: number;
  journal: number;
}

/**
 * Takes the address and what is known of the person out of every table. IDs, times and counts stay: a recipient without an
 * address. Doing it again changes nothing. One transaction.
 */
export function eraseAddress(db: Database, address: string): Promise<Erased> {
  return db.transaction(async (sql) => {
    const keys = await select<{ mailingId: bigint; id: bigint }>(
      sql,
      'SELECT mailing_id AS "mailingId", id FROM mailing_recipient WHERE lower(email) = $1 ORDER BY 1, 2 FOR UPDATE',
      [address],
    );
    const of = [keys.map(({ mailingId }) => mailingId), keys.map(({ id }) => id)];
    const suppressions = await hashSuppressions(sql, address);
    await sql.query('DELETE FROM bounce_count WHERE address = $1', [address]);
    const returnedMails = await forgetReturnedMails(sql, address, of);
    const responses = await execute(
      sql,
      `UPDATE response SET diagnostic = NULL WHERE diagnostic IS NOT NULL AND ${personOf('recipient_id')}`,
      of,
    );
    const events = await execute(
      sql,
      `UPDATE event SET user_agent = NULL WHERE user_agent IS NOT NULL AND ${personOf('recipient_id')}`,
      of,
    );
    // A new attempt: a late answer would bring the server's words about the address.
    await sql.query(
      `UPDATE delivery SET attempt_id = nextval('id_block'), reason = CASE WHEN status = 'suppressed' THEN reason END WHERE ${personOf('recipient_id')}`,
      of,
    );
    await erasePersonalContent(sql, keys);
    const recipients = await execute(
      sql,
      `UPDATE mailing_recipient SET email = NULL, fields = array_fill(NULL::text, ARRAY[cardinality(fields)]) WHERE ${personOf('id')}`,
      of,
    );
    return { recipients, suppressions, events, responses, returnedMails, journal: await eraseFaults(sql, address) };
  });
}

const personOf = (id: string) => `(mailing_id, ${id}) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))`;

/** Asked only where there is one to hash: who suppresses nobody needs no key. */
async function hashSuppressions(sql: Sql, address: string): Promise<number> {
  const hashed = await execute(
    sql,
    `INSERT INTO suppression_hash (client_id, hash, reason, created_at)
     SELECT client_id, suppression_hash_of(address), reason, created_at FROM suppression WHERE address = $1 ON CONFLICT DO NOTHING`,
    [address],
  );
  await sql.query('DELETE FROM suppression WHERE address = $1', [address]);
  return hashed;
}

/** Those about the person's mails, and all that name the address. */
function forgetReturnedMails(sql: Sql, address: string, of: bigint[][]): Promise<number> {
  return execute(
    sql,
    `UPDATE inbound_message SET raw = NULL, envelope_from = '', envelope_to = '{}',
            reason = CASE WHEN strpos(lower(reason), $1) > 0 THEN NULL ELSE reason END
      WHERE raw IS NOT NULL AND (${RAW_HOLDS}
         OR id IN (SELECT message_id FROM response WHERE (mailing_id, recipient_id) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))))`,
    [address, ...of],
  );
}

/** Faults and journal entries quote what stood in a file; corrected rows are of files that are still to be read. */
async function eraseFaults(sql: Sql, address: string): Promise<number> {
  const pattern = address.replace(/[^a-z0-9]/g, '\\$&');
  await sql.query(`DELETE FROM import_correction WHERE strpos(lower(fields::text), $1) > 0`, [address]);
  await sql.query(
    `UPDATE import SET faults = regexp_replace(faults::text, $2, '${ERASED}', 'gi')::jsonb WHERE strpos(lower(faults::text), $1) > 0`,
    [address, pattern],
  );
  return execute(
    sql,
    `UPDATE journal SET facts = regexp_replace(facts::text, $2, '${ERASED}', 'gi')::jsonb WHERE strpos(lower(facts::text), $1) > 0`,
    [address, pattern],
  );
}

/** Stands in texts where an address was. */
export const ERASED = '[erased]';

export interface Mention {
  /** `table.column` */
  column: string;
  rows: bigint;
}

/**
 * Where an address still stands: every column of every table that can hold text is read through, the whole database.
 * What authors and customers wrote themselves (templates, settings, patterns) is not changed by an erasure, and shows here.
 */
export async function selectMentions(sql: Sql, address: string): Promise<Mention[]> {
  const columns = await select<{ column: string; query: string }>(sql, SEARCHES);
  const found: Mention[] = [];
  for (const { column, query } of columns) {
    const { rows } = await selectOne<{ rows: bigint }>(sql, query, [address]);
    if (rows > 0n) found.push({ column, rows });
  }
  return found;
}

// Partitions are read through their parents.
const SEARCHES = `
  SELECT c.relname || '.' || a.attname AS column,
         format('SELECT count(*) AS rows FROM %I.%I WHERE strpos(lower(%s), $1) > 0', n.nspname, c.relname,
                CASE WHEN t.typname = 'bytea' THEN format('encode(%I, ''escape'')', a.attname) ELSE format('%I::text', a.attname) END) AS query
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
   WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND t.typname IN ('text', '_text', 'varchar', '_varchar', 'json', 'jsonb', 'bytea')
   ORDER BY 1`;

/** Would this run lack data of other recipients if it were written again? Theirs was recycled since. */
export async function lacksRecycled(sql: Sql, run: ExportRun): Promise<boolean> {
  const hasFields = run.settings.extraColumns.some((name) => !isReserved(name));
  const recycled = await select(
    sql,
    `SELECT 1 FROM mailing WHERE client_id = $1 AND recycled_id > 0 AND ($4 OR finished_ticket > $2 AND finished_ticket <= $3) LIMIT 1`,
    [run.clientId, run.fromTicket, run.toTicket, hasFields],
  );
  return recycled.length > 0;
}
