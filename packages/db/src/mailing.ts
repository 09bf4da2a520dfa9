import type { CompiledMail, StoredMail } from '@postloop/mail-domain';
import type { ImportRow } from './import.js';
import type { RecipientCounts } from './import-judge.js';
import { haltInbox } from './inbox.js';
import type { PinnedProducts } from './product.js';
import { insertImportList, type ListField } from './recipient-list.js';
import type { BatchKey } from './send-batch.js';
import { execute, type Sql, select, selectOptional } from './sql.js';

export type MailingStatus = 'building' | 'scheduled' | 'sending' | 'paused' | 'finished' | 'cancelled' | 'failed';

/** A mailing that a source mailing will have in an import: its ID is known before the file was read to its end. */
export interface PlannedMailing {
  id: bigint;
  sourceMailingId: bigint;
}

/** One for each source mailing of a client, whether a file names it or not: numbers are plenty. */
export function planMailings(sql: Sql, clientId: bigint): Promise<PlannedMailing[]> {
  return select(
    sql,
    `SELECT nextval('id_block') AS id, s.id AS "sourceMailingId"
       FROM (SELECT id FROM source_mailing WHERE client_id = $1 ORDER BY id) s`,
    [clientId],
  );
}

/**
 * Makes the recipient list of an import and its mailings.
 * @param planned those that rows went to. `sendAt`: null: at once
 */
export async function insertMailings(
  sql: Sql,
  row: ImportRow,
  list: { masterListId: bigint; fields: readonly ListField[] },
  planned: readonly (PlannedMailing & { sendAt: Date | null })[],
): Promise<void> {
  const { clientId } = row;
  const listId = await insertImportList(sql, { ...list, clientId, name: `${row.directory}/${row.fileName} ${row.id}` });
  await sql.query('UPDATE import SET recipient_list_id = $2 WHERE id = $1', [row.id, listId]);
  const made = await execute(
    sql,
    `INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, send_at)
     SELECT w.id, $1, $2, s.id, s.campaign_id, $3, s.name, $4, w.send_at
       FROM unnest($5::bigint[], $6::bigint[], $7::timestamptz[]) AS w(id, source_id, send_at) JOIN source_mailing s ON s.id = w.source_id`,
    [
      ...[clientId, row.id, listId, row.directory === 'test'],
      ...[planned.map(({ id }) => id), planned.map((one) => one.sourceMailingId), planned.map(({ sendAt }) => sendAt)],
    ],
  );
  if (made !== planned.length) throw new Error(`${planned.length} mailings are needed, ${made} could be made`);
}

/** The file's rows are mailing recipients now: it enters the ledger. `empty` when none can be sent to. */
export async function acceptImport(
  sql: Sql,
  importId: bigint,
  facts: { sha256: Buffer; rows: bigint; blankLines: bigint; counts: RecipientCounts },
): Promise<void> {
  const { counts } = facts;
  await sql.query(
    `UPDATE import SET accepted = true, status = CASE WHEN $5 = 0 THEN 'empty' ELSE 'imported' END::import_status, sha256 = $2, rows = $3, blank_lines = $4,
       queued = $5, suppressed = $6, invalid = $7, duplicate = $8, changed_at = now()
     WHERE id = $1`,
    [
      importId,
      facts.sha256,
      facts.rows,
      facts.blankLines,
      counts.queued,
      counts.suppressed,
      counts.invalid,
      counts.duplicate,
    ],
  );
}

export interface BuildingMailing {
  id: bigint;
  sourceMailingId: bigint;
  recipientListId: bigint;
  name: string;
  /** Null: at once. */
  sendAt: Date | null;
}

/** The mailings of an import that wait for their copy. */
export function selectBuildingMailings(sql: Sql, importId: bigint): Promise<BuildingMailing[]> {
  return select(
    sql,
    `SELECT id, source_mailing_id AS "sourceMailingId", recipient_list_id AS "recipientListId", name, send_at AS "sendAt"
       FROM mailing WHERE import_id = $1 AND status = 'building' ORDER BY id`,
    [importId],
  );
}

/**
 * Freezes the copy: what was written, what it compiles to, and its links. A copy that stands is left as it is.
 * @returns whether it was made now
 */
export async function insertMailingContent(
  sql: Sql,
  mailingId: bigint,
  copy: { contentHash: Buffer; source: object; program: CompiledMail },
): Promise<boolean> {
  const inserted = await execute(
    sql,
    `INSERT INTO mailing_content (mailing_id, content_hash, source, program) VALUES ($1, $2, $3, $4)
     ON CONFLICT (mailing_id) DO NOTHING`,
    [mailingId, copy.contentHash, JSON.stringify(copy.source), JSON.stringify(copy.program)],
  );
  if (inserted === 0) return false;
  const { links } = copy.program;
  await sql.query(
    `INSERT INTO link (mailing_id, ordinal, purpose, name, url, personalised)
     SELECT $1, * FROM unnest($2::int[], $3::link_purpose[], $4::text[], $5::text[], $6::boolean[])`,
    [
      mailingId,
      links.map((link) => link.ordinal),
      links.map((link) => link.purpose),
      links.map((link) => link.name),
      links.map((link) => link.url),
      links.map((link) => link.personalised),
    ],
  );
  return true;
}

/** The start failed for a reason that lies with the copy: a restart makes it anew. */
export async function discardMailingContent(sql: Sql, mailingId: bigint): Promise<void> {
  for (const table of ['mailing_content', 'link', 'mailing_attachment'])
    await sql.query(`DELETE FROM ${table} WHERE mailing_id = $1`, [mailingId]);
}

/** Cuts the queued recipients of a mailing into ranges of IDs, one send job each. @returns how many */
export async function planBatches(sql: Sql, mailingId: bigint, size: number): Promise<number> {
  return execute(
    sql,
    `INSERT INTO send_batch (mailing_id, ordinal, first_id, last_id, recipients)
     SELECT $1, batch, min(id), max(id), count(*)
       FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / $2::int AS batch
               FROM mailing_recipient WHERE mailing_id = $1 AND status = 'queued') numbered
      GROUP BY batch
     ON CONFLICT (mailing_id, ordinal) DO NOTHING`,
    [mailingId, size],
  );
}

/**
 * Starts all mailings of an import together; those with a time after `now` wait for it as `scheduled`. One that has nobody
 * to send to is finished at once.
 * @returns the batches to send
 */
export async function startMailings(sql: Sql, importId: bigint, now: Date): Promise<BatchKey[]> {
  const sending = await select<{ id: bigint }>(
    sql,
    `WITH built AS (
       SELECT m.id, coalesce(sum(b.recipients), 0) AS recipients
         FROM mailing m LEFT JOIN send_batch b ON b.mailing_id = m.id
        WHERE m.import_id = $1 AND m.status = 'building' GROUP BY m.id
     ), begun AS (
       UPDATE mailing m SET recipients = b.recipients,
              status = CASE WHEN m.send_at > $2 AND b.recipients > 0 THEN 'scheduled' ELSE 'sending' END::mailing_status,
              started_at = CASE WHEN m.send_at > $2 AND b.recipients > 0 THEN NULL ELSE now() END
         FROM built b WHERE m.id = b.id AND m.status = 'building'
       RETURNING m.id, m.status
     )
     SELECT id FROM begun WHERE status = 'sending' ORDER BY id`,
    [importId, now],
  );
  await sql.query(`UPDATE import SET status = 'started', changed_at = now() WHERE id = $1 AND status = 'imported'`, [
    importId,
  ]);
  for (const { id } of sending) await finishMailing(sql, id);
  return selectStartedBatches(sql, sending);
}

/** So many mailings are started in one transaction. */
const STARTED_TOGETHER = 100;

/**
 * Starts mailings whose time has come, the longest due first.
 * @returns those started, and their batches to send: the reconciler finds them when nobody enqueues them
 */
export async function startDueMailings(sql: Sql, now: Date): Promise<{ started: bigint[]; batches: BatchKey[] }> {
  const started = await select<{ id: bigint }>(
    sql,
    `UPDATE mailing SET status = 'sending', started_at = now()
      WHERE id IN (SELECT id FROM mailing WHERE status = 'scheduled' AND send_at <= $1
                    ORDER BY send_at, id LIMIT ${STARTED_TOGETHER} FOR UPDATE SKIP LOCKED) RETURNING id`,
    [now],
  );
  return { started: started.map(({ id }) => id), batches: await selectStartedBatches(sql, started) };
}

function selectStartedBatches(sql: Sql, mailings: readonly { id: bigint }[]): Promise<BatchKey[]> {
  return select(
    sql,
    `SELECT b.mailing_id AS "mailingId", b.ordinal AS batch FROM send_batch b JOIN mailing m ON m.id = b.mailing_id
      WHERE m.id = ANY($1) AND m.status = 'sending' ORDER BY b.ordinal, b.mailing_id`,
    [mailings.map(({ id }) => id)],
  );
}

/**
 * Finishes a sending mailing when none of its batches is open. The mailing's row is locked first, so that of two workers
 * that end the last two batches one sees the other's. Its export ticket makes it visible to the next export.
 */
export async function finishMailing(sql: Sql, mailingId: bigint): Promise<boolean> {
  const mailing = await selectOptional<{ clientId: bigint }>(
    sql,
    `SELECT client_id AS "clientId" FROM mailing WHERE id = $1 AND status = 'sending' FOR UPDATE`,
    [mailingId],
  );
  if (!mailing) return false;
  const open = await selectOptional(
    sql,
    `SELECT 1 FROM send_batch WHERE mailing_id = $1 AND status <> 'done' LIMIT 1`,
    [mailingId],
  );
  if (open) return false;
  await sql.query(
    // One that was told as finished before, and had somebody resent to since, stays in that export.
    `UPDATE mailing SET status = 'finished', finished_at = coalesce(finished_at, clock_timestamp()),
       finished_ticket = coalesce(finished_ticket, take_ticket($2)) WHERE id = $1`,
    [mailingId, mailing.clientId],
  );
  return true;
}

/** The start failed: the import and its rows stay, and say why. The file is to be filed anew, under failed/. */
export async function failMailings(sql: Sql, importId: bigint, faults: object[]): Promise<void> {
  await haltInbox(sql, importId);
  await sql.query(`UPDATE mailing SET status = 'failed' WHERE import_id = $1 AND status = 'building'`, [importId]);
  await sql.query(`UPDATE import SET status = 'failed', faults = $2, filed = false, changed_at = now() WHERE id = $1`, [
    importId,
    JSON.stringify(faults),
  ]);
}

export interface MailingToSend extends PinnedProducts {
  id: bigint;
  clientId: bigint;
  clientName: string;
  program: StoredMail;
  recipientListId: bigint;
}

/** What a sender needs to make the mails of a mailing. Never changes once the mailing was started. */
export function selectMailingToSend(sql: Sql, mailingId: bigint): Promise<MailingToSend | undefined> {
  return selectOptional(
    sql,
    `SELECT m.id, m.client_id AS "clientId", c.name AS "clientName", mc.program, m.recipient_list_id AS "recipientListId",
            m.product_version_id AS "productVersionId", m.recommendation_version_id AS "recommendationVersionId"
       FROM mailing m JOIN mailing_content mc ON mc.mailing_id = m.id JOIN client c ON c.id = m.client_id WHERE m.id = $1`,
    [mailingId],
  );
}

/** The fields that a recipient's mail was made of; undefined once they were recycled or erased. */
export async function selectSentFields(
  sql: Sql,
  mailingId: bigint,
  recipientId: bigint,
): Promise<(string | null)[] | undefined> {
  const recipient = await selectOptional<{ fields: (string | null)[] }>(
    sql,
    `SELECT r.fields FROM mailing m JOIN mailing_recipient r ON r.mailing_id = m.id
      WHERE m.id = $1 AND r.mailing_id = $1 AND r.id = $2 AND r.email IS NOT NULL AND m.recycled_at IS NULL AND r.id > m.recycled_id`,
    [mailingId, recipientId],
  );
  return recipient?.fields;
}

export interface MailingProgress {
  id: bigint;
  sourceMailingId: bigint;
  name: string;
  status: MailingStatus;
  recipients: bigint;
  /** Recipients of batches that are done. */
  done: bigint;
}

/** How far the mailings of an import are, from their batches (few rows, however many recipients). */
export function selectMailingProgress(sql: Sql, importId: bigint): Promise<MailingProgress[]> {
  return select(
    sql,
    `SELECT m.id, m.source_mailing_id AS "sourceMailingId", m.name, m.status, m.recipients,
            (SELECT coalesce(sum(b.recipients), 0)::bigint FROM send_batch b WHERE b.mailing_id = m.id AND b.status = 'done') AS done
       FROM mailing m WHERE m.import_id = $1 ORDER BY m.id`,
    [importId],
  );
}
