import type { Writable } from 'node:stream';
import type { FileFault } from '@postloop/contracts';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ListField } from './recipient-list.js';
import { execute, type Sql, select, selectOne } from './sql.js';
import { columnOf, explainProblem, rowChecks } from './staging-sql.js';

/**
 * The rows of one file on their way in. Unlogged: a file that was not accepted left nothing behind, and is read again.
 * The recipient's ID is allotted by the COPY itself.
 */
const tableOf = (importId: bigint): string => `staging_${importId}`;
const columns = (fields: readonly ListField[]): string[] => fields.map((field) => columnOf(field.ordinal));

export async function createStaging(sql: Sql, importId: bigint, fields: readonly ListField[]): Promise<void> {
  await dropStaging(sql, importId);
  await sql.query(
    `CREATE UNLOGGED TABLE ${tableOf(importId)} (
       id bigint NOT NULL DEFAULT nextval('id_block'), line bigint NOT NULL, ${columns(fields)
         .map((c) => `${c} text`)
         .join(', ')}
     ) WITH (autovacuum_enabled = off)`,
  );
}

export async function dropStaging(sql: Sql, importId: bigint): Promise<void> {
  await sql.query(`DROP TABLE IF EXISTS ${tableOf(importId)}`);
}

/**
 * A sink for records in the file's own dialect, each with its line number in front (`12;a@b.example;…`).
 * COPY's CSV mode tells NULL from an empty string as the dialect does: by the quotes.
 */
export function copyIntoStaging(client: pg.PoolClient, importId: bigint, fields: readonly ListField[]): Writable {
  return client.query(
    copyFrom(
      `COPY ${tableOf(importId)} (line, ${columns(fields).join(', ')}) FROM STDIN (FORMAT csv, DELIMITER ';', NULL '')`,
    ),
  );
}

export interface NamedSourceMailing {
  /** BROADMAIL_ID as the file has it. */
  broadmailId: string | null;
  /** SEND_AT; null when it is empty, or no field of the list. */
  sendAt: Date | null;
  /** It is no time: the rows are bad, and say nothing of when. */
  sendAtBad: boolean;
  /** The first line that names them. */
  line: bigint;
  rows: bigint;
}

/** So many BROADMAIL_IDs, or times for one of them, may stand in a file. */
export const mostNamed = 1_000;

/** The source mailings that the file names, with the times they are to be sent at; at most one more than `mostNamed`. */
export function selectNamedSourceMailings(
  sql: Sql,
  importId: bigint,
  fields: readonly ListField[],
): Promise<NamedSourceMailing[]> {
  const { broadmailId, sendAt, isSendAtBad } = rowChecks(fields);
  return select(
    sql,
    `SELECT ${broadmailId} AS "broadmailId", ${sendAt} AS "sendAt", ${isSendAtBad} AS "sendAtBad", min(line) AS line, count(*) AS rows
       FROM ${tableOf(importId)} GROUP BY 1, 2, 3 ORDER BY 4 LIMIT ${mostNamed + 1}`,
  );
}

const TOLD = 1_000;

/** The first rows with bad values, in words. */
export async function selectBadRows(sql: Sql, importId: bigint, fields: readonly ListField[]): Promise<FileFault[]> {
  const { problem } = rowChecks(fields);
  const bad = await select<{ line: bigint; problem: string }>(
    sql,
    `SELECT line, problem FROM (SELECT line, ${problem} AS problem FROM ${tableOf(importId)}) checked
      WHERE problem IS NOT NULL ORDER BY line LIMIT ${TOLD}`,
  );
  return bad.map((one) => ({ code: 'bad_value', line: Number(one.line), ...explainProblem(one.problem, fields) }));
}

export interface RecipientCounts {
  queued: bigint;
  suppressed: bigint;
  invalid: bigint;
  duplicate: bigint;
}

type Exceptions = Omit<RecipientCounts, 'queued'>;

export interface Distribution {
  importId: bigint;
  clientId: bigint;
  fields: readonly ListField[];
  /** Mailing IDs by BROADMAIL_ID as the file has it. */
  mailings: ReadonlyMap<string, bigint>;
  /** Lines among which are all whose address stood before in the file; undefined: any. */
  maybeRepeated?: readonly number[] | undefined;
  /** Asked before a row is stored; stops it all by throwing. */
  check?(exceptions: Exceptions): void | Promise<void>;
}

/**
 * Turns every staged row into a mailing recipient with its first status, in the order of lines: senders and exports read them
 * in it. What cannot be queued, commonly few rows, is found first (PostgreSQL looks for bad values with all its parallel
 * workers), so that storing the rows is one plain pass. Of rows with the same address (trimmed, case apart) in a mailing the
 * first that is not bad wins.
 */
export async function distributeStaging(sql: Sql, options: Distribution): Promise<RecipientCounts> {
  await sql.query(`ANALYZE ${tableOf(options.importId)} (line, ${rowChecks(options.fields).broadmailId})`);
  const exceptions = await judgeStaging(sql, options);
  await options.check?.(exceptions);
  const stored = BigInt(await storeRecipients(sql, options));
  await sql.query(`DROP TABLE ${verdictsOf(options.importId)}`);
  const { suppressed, invalid, duplicate } = exceptions;
  return { queued: stored - suppressed - invalid - duplicate, ...exceptions };
}

/** Lines that are not queued, each once, with status and reason. */
const verdictsOf = (importId: bigint): string => `staging_${importId}_verdict`;

async function judgeStaging(sql: Sql, options: Distribution): Promise<Exceptions> {
  const verdicts = verdictsOf(options.importId);
  const { problem } = rowChecks(options.fields);
  await sql.query(`DROP TABLE IF EXISTS ${verdicts}`);
  await sql.query(
    `CREATE UNLOGGED TABLE ${verdicts} AS
       SELECT line, 'invalid'::recipient_status AS status, ${problem} AS reason FROM ${tableOf(options.importId)} WHERE ${problem} IS NOT NULL`,
  );
  await judgeRepeated(sql, options);
  await judgeSuppressed(sql, options);
  // Else the join hashes the staged rows, and stores them in no order.
  await sql.query(`ANALYZE ${verdicts}`);
  return selectOne<Exceptions>(
    sql,
    `SELECT count(*) FILTER (WHERE status = 'suppressed') AS suppressed, count(*) FILTER (WHERE status = 'invalid') AS invalid,
            count(*) FILTER (WHERE status = 'duplicate') AS duplicate FROM ${verdicts}`,
  );
}

const MAILING_OF = 'unnest($1::text[], $2::bigint[]) AS mailing_of (broadmail_id, mailing_id)';
const pairsOf = ({ mailings }: Distribution): unknown[] => [[...mailings.keys()], [...mailings.values()]];

/** Compares only rows whose address stands several times. */
async function judgeRepeated(sql: Sql, options: Distribution): Promise<void> {
  const { importId, fields, maybeRepeated } = options;
  if (maybeRepeated?.length === 0) return;
  const { email, broadmailId } = rowChecks(fields);
  const verdicts = verdictsOf(importId);
  const key = `lower(${email}) COLLATE "C"`;
  const staged = `${tableOf(importId)} s JOIN ${MAILING_OF} ON broadmail_id = ${broadmailId}`;
  const shared = maybeRepeated
    ? `SELECT DISTINCT mailing_id, ${key} AS key FROM ${staged} WHERE line = ANY($3::bigint[])`
    : `SELECT mailing_id, ${key} AS key FROM ${staged} GROUP BY 1, 2 HAVING count(*) > 1`;
  await sql.query(
    `WITH shared AS MATERIALIZED (${shared}), placed AS (
       SELECT line, row_number() OVER (PARTITION BY mailing_id, key ORDER BY line) AS place
         FROM ${staged} JOIN shared USING (mailing_id)
        WHERE key = ${key} AND NOT EXISTS (SELECT FROM ${verdicts} v WHERE v.line = s.line)
     )
     INSERT INTO ${verdicts} SELECT line, 'duplicate', NULL FROM placed WHERE place > 1`,
    [...pairsOf(options), ...(maybeRepeated ? [maybeRepeated] : [])],
  );
}

/** `suppression_of` is asked about addresses that stand in the client's list; about all when more than addresses does. */
async function judgeSuppressed(sql: Sql, { importId, clientId, fields }: Distribution): Promise<void> {
  const verdicts = verdictsOf(importId);
  const { addresses, others } = await selectOne<{ addresses: boolean; others: boolean }>(
    sql,
    `SELECT EXISTS (SELECT FROM suppression WHERE client_id = $1) AS addresses,
            EXISTS (SELECT FROM suppression_pattern WHERE client_id = $1)
              OR EXISTS (SELECT FROM suppression_hash WHERE client_id = $1) AS others`,
    [clientId],
  );
  if (!addresses && !others) return;
  const listed = others
    ? ''
    : 'WHERE EXISTS (SELECT FROM suppression e WHERE e.client_id = $1 AND e.address = s.address)';
  await sql.query(
    `INSERT INTO ${verdicts}
     SELECT line, 'suppressed', found.reason
       FROM (SELECT line, address FROM (SELECT line, lower(${rowChecks(fields).email}) AS address FROM ${tableOf(importId)}) s ${listed}) s
       CROSS JOIN LATERAL suppression_of($1, address) found
      WHERE found.reason IS NOT NULL AND NOT EXISTS (SELECT FROM ${verdicts} v WHERE v.line = s.line)`,
    [clientId],
  );
}

/** @returns how many */
function storeRecipients(sql: Sql, options: Distribution): Promise<number> {
  const { importId, fields } = options;
  const { email, wave, goodWave, broadmailId } = rowChecks(fields);
  return execute(
    sql,
    `INSERT INTO mailing_recipient (mailing_id, id, line, wave_id, email, fields, status, reason)
     SELECT mailing_id, id, s.line, CASE WHEN v.status = 'invalid' THEN ${wave} ELSE ${goodWave} END, ${email},
            ARRAY[${columns(fields).join(', ')}], coalesce(v.status, 'queued'), v.reason
       FROM ${tableOf(importId)} s JOIN ${MAILING_OF} ON broadmail_id = ${broadmailId}
       LEFT JOIN ${verdictsOf(importId)} v ON v.line = s.line`,
    pairsOf(options),
  );
}
