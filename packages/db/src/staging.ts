import type { Writable } from 'node:stream';
import { type FileFault, FileRejected } from '@postloop/contracts';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ImportRow } from './import.js';
import type { ListField } from './recipient-list.js';
import { type Sql, select, selectOne } from './sql.js';
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
  /** The first line that names it. */
  line: bigint;
  rows: bigint;
}

/** The source mailings that the file names. */
export function selectNamedSourceMailings(
  sql: Sql,
  importId: bigint,
  fields: readonly ListField[],
): Promise<NamedSourceMailing[]> {
  const { broadmailId } = rowChecks(fields);
  return select(
    sql,
    `SELECT ${broadmailId} AS "broadmailId", min(line) AS line, count(*) AS rows FROM ${tableOf(importId)} GROUP BY 1 ORDER BY 2`,
  );
}

const TOLD = 1_000;

/**
 * Rows with bad values: how many there are, and the first of them in words.
 * @throws FileRejected when their share is over the client's threshold
 */
export async function checkStagedRows(
  sql: Sql,
  row: ImportRow,
  fields: readonly ListField[],
  total: bigint,
): Promise<void> {
  const { problem } = rowChecks(fields);
  const bad = await select<{ line: bigint; problem: string; count: bigint }>(
    sql,
    `SELECT line, problem, count(*) OVER () AS count
       FROM (SELECT line, ${problem} AS problem FROM ${tableOf(row.id)}) checked
      WHERE problem IS NOT NULL ORDER BY line LIMIT ${TOLD}`,
  );
  const count = bad[0]?.count ?? 0n;
  if (Number(count) <= row.badRowShare * Number(total)) return;
  const faults = bad.map(
    (one): FileFault => ({ code: 'bad_value', line: Number(one.line), ...explainProblem(one.problem, fields) }),
  );
  throw new FileRejected([
    {
      code: 'too_many_bad_values',
      line: null,
      column: null,
      message: `${count} of ${total} rows have bad values; the client allows a share of ${row.badRowShare}.`,
      remedy: 'Correct the rows below and upload the file again under a new name.',
    },
    ...faults,
  ]);
}

export interface RecipientCounts {
  queued: bigint;
  suppressed: bigint;
  invalid: bigint;
  duplicate: bigint;
}

/** Turns every staged row into a mailing recipient with its first status. One statement, whatever the size of the file. */
export async function distributeStaging(
  sql: Sql,
  options: { importId: bigint; clientId: bigint; fields: readonly ListField[]; mailings: ReadonlyMap<string, bigint> },
): Promise<RecipientCounts> {
  const { importId, fields } = options;
  const { problem, email, wave, broadmailId } = rowChecks(fields);
  return selectOne<RecipientCounts>(
    sql,
    `WITH checked AS (
       SELECT s.*, m.mailing_id, ${problem} AS problem, ${email} AS address, lower(${email}) AS suppression_key
         FROM ${tableOf(importId)} s
         JOIN unnest($1::text[], $2::bigint[]) AS m(broadmail_id, mailing_id) ON m.broadmail_id = s.${broadmailId}
     ), ranked AS (
       SELECT c.*, problem IS NULL
           AND row_number() OVER (PARTITION BY mailing_id, problem IS NULL, suppression_key ORDER BY line) > 1 AS repeated
         FROM checked c
     ), inserted AS (
       INSERT INTO mailing_recipient (mailing_id, id, line, wave_id, email, fields, status, reason)
       SELECT r.mailing_id, r.id, r.line, ${wave}, r.address, ARRAY[${columns(fields).join(', ')}],
              CASE WHEN r.problem IS NOT NULL THEN 'invalid' WHEN r.repeated THEN 'duplicate'
                   WHEN s.reason IS NOT NULL THEN 'suppressed' ELSE 'queued' END::recipient_status,
              coalesce(r.problem, CASE WHEN NOT r.repeated THEN s.reason::text END)
         FROM ranked r
         LEFT JOIN LATERAL suppression_of($3, r.suppression_key) s ON true
       RETURNING status
     )
     SELECT count(*) FILTER (WHERE status = 'queued') AS queued, count(*) FILTER (WHERE status = 'suppressed') AS suppressed,
            count(*) FILTER (WHERE status = 'invalid') AS invalid, count(*) FILTER (WHERE status = 'duplicate') AS duplicate
       FROM inserted`,
    [[...options.mailings.keys()], [...options.mailings.values()], options.clientId],
  );
}
