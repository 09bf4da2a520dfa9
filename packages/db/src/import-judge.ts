import type { FileFault } from '@postloop/contracts';
import { explainProblem, problemOf } from './import-checks.js';
import type { ListField } from './recipient-list.js';
import { type Sql, select, selectOne } from './sql.js';

export interface RecipientCounts {
  queued: bigint;
  suppressed: bigint;
  invalid: bigint;
  duplicate: bigint;
}

type Exceptions = Omit<RecipientCounts, 'queued'>;

/** The rows of a file, as RecipientRows made them in this transaction. */
export interface LoadedRows {
  clientId: bigint;
  fields: readonly ListField[];
  /** All that rows went to. */
  mailings: readonly bigint[];
  /** How many there are. */
  rows: bigint;
  /** Lines among which are all that have a bad value; undefined: any. */
  doubtful?: readonly number[] | undefined;
  /** Lines among which are all whose address stood before in the file; undefined: any. */
  maybeRepeated?: readonly number[] | undefined;
  /** Asked before a row is changed; stops it all by throwing. */
  check?(exceptions: Exceptions, sql: Sql): void | Promise<void>;
}

/**
 * Finds the rows that cannot be queued, commonly few, and gives them their status; each row is written anew at most once. Of rows
 * with the same address (trimmed, case apart) in a mailing the first that is not bad wins. To be called in a transaction.
 */
export async function judgeRecipients(sql: Sql, loaded: LoadedRows): Promise<RecipientCounts> {
  await sql.query(CREATE_VERDICTS);
  // The planner takes rows that it has no statistics of for a handful, and would compare each with each.
  await without(sql, ['nestloop'], async () => {
    await judgeValues(sql, loaded);
    await judgeRepeated(sql, loaded);
    await judgeSuppressed(sql, loaded);
  });
  const exceptions = await selectOne<Exceptions>(sql, COUNT_VERDICTS);
  await loaded.check?.(exceptions, sql);
  const { suppressed, invalid, duplicate } = exceptions;
  const others = suppressed + invalid + duplicate;
  if (others > 0n) await applyVerdicts(sql);
  return { queued: loaded.rows - others, ...exceptions };
}

/** Rows that are not queued, each once, with status and reason. */
const CREATE_VERDICTS = `CREATE TEMPORARY TABLE verdict
  (mailing_id bigint, id bigint, line bigint, status recipient_status, reason text) ON COMMIT DROP`;

const COUNT_VERDICTS = `
  SELECT count(*) FILTER (WHERE status = 'suppressed') AS suppressed, count(*) FILTER (WHERE status = 'invalid') AS invalid,
         count(*) FILTER (WHERE status = 'duplicate') AS duplicate FROM verdict`;

const NO_VERDICT_YET = 'NOT EXISTS (SELECT FROM verdict v WHERE v.mailing_id = r.mailing_id AND v.id = r.id)';

async function judgeValues(sql: Sql, { fields, mailings, doubtful }: LoadedRows): Promise<void> {
  if (doubtful?.length === 0) return;
  await sql.query(
    `INSERT INTO verdict
     SELECT mailing_id, id, line, 'invalid', problem
       FROM (SELECT mailing_id, id, line, ${problemOf(fields)} AS problem FROM mailing_recipient
              WHERE mailing_id = ANY($1) ${doubtful ? 'AND line = ANY($2::bigint[])' : ''}) r
      WHERE problem IS NOT NULL`,
    [mailings, ...(doubtful ? [doubtful] : [])],
  );
}

/** Compares only rows whose address stands several times. */
async function judgeRepeated(sql: Sql, { mailings, maybeRepeated }: LoadedRows): Promise<void> {
  if (maybeRepeated?.length === 0) return;
  const key = 'lower(email) COLLATE "C"';
  const shared = `SELECT mailing_id, ${key} AS key FROM mailing_recipient WHERE mailing_id = ANY($1)`;
  await sql.query(
    `WITH shared AS MATERIALIZED (
       ${maybeRepeated ? `${shared} AND line = ANY($2::bigint[]) GROUP BY 1, 2` : `${shared} GROUP BY 1, 2 HAVING count(*) > 1`}
     ), placed AS (
       SELECT mailing_id, id, line, row_number() OVER (PARTITION BY mailing_id, key ORDER BY line) AS place
         FROM mailing_recipient r JOIN shared USING (mailing_id)
        WHERE mailing_id = ANY($1) AND key = ${key} AND ${NO_VERDICT_YET}
     )
     INSERT INTO verdict SELECT mailing_id, id, line, 'duplicate', NULL FROM placed WHERE place > 1`,
    [mailings, ...(maybeRepeated ? [maybeRepeated] : [])],
  );
}

/**
 * `suppression_of` is asked about addresses that stand in the client's list; about all when more than addresses does, or the list
 * is longer than the file.
 */
async function judgeSuppressed(sql: Sql, { clientId, mailings, rows }: LoadedRows): Promise<void> {
  const { addresses, others } = await selectOne<{ addresses: boolean; others: boolean }>(
    sql,
    `SELECT EXISTS (SELECT FROM suppression WHERE client_id = $1) AS addresses,
            EXISTS (SELECT FROM suppression_pattern WHERE client_id = $1)
              OR EXISTS (SELECT FROM suppression_hash WHERE client_id = $1)
              OR EXISTS (SELECT FROM suppression WHERE client_id = $1 OFFSET $2) AS others`,
    [clientId, rows],
  );
  if (!addresses && !others) return;
  const listed = others
    ? ''
    : 'AND EXISTS (SELECT FROM suppression e WHERE e.client_id = $1 AND e.address = lower(r.email))';
  await sql.query(
    `INSERT INTO verdict
     SELECT mailing_id, id, line, 'suppressed', found.reason
       FROM mailing_recipient r CROSS JOIN LATERAL suppression_of($1, lower(r.email)) found
      WHERE mailing_id = ANY($2) AND found.reason IS NOT NULL ${listed} AND ${NO_VERDICT_YET}`,
    [clientId, mailings],
  );
}

async function applyVerdicts(sql: Sql): Promise<void> {
  await sql.query('ANALYZE verdict');
  // By key: the planner would rather read the rows of all other mailings.
  await without(sql, ['hashjoin', 'mergejoin'], () =>
    sql.query(
      `UPDATE mailing_recipient r SET status = v.status, reason = v.reason FROM verdict v
        WHERE r.mailing_id = v.mailing_id AND r.id = v.id`,
    ),
  );
}

/** In this transaction the planner joins in no such way during `work`, if there is another. */
async function without(sql: Sql, joins: readonly string[], work: () => Promise<unknown>): Promise<void> {
  for (const join of joins) await sql.query(`SET LOCAL enable_${join} = off`);
  await work();
  for (const join of joins) await sql.query(`SET LOCAL enable_${join} TO DEFAULT`);
}

const TOLD = 1_000;

/** The first rows with bad values, in words. For `check`. */
export async function selectBadRows(sql: Sql, fields: readonly ListField[]): Promise<FileFault[]> {
  const bad = await select<{ line: bigint; reason: string }>(
    sql,
    `SELECT line, reason FROM verdict WHERE status = 'invalid' ORDER BY line LIMIT ${TOLD}`,
  );
  return bad.map((one) => ({ code: 'bad_value', line: Number(one.line), ...explainProblem(one.reason, fields) }));
}
