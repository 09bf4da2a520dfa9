import type { Database } from './database.js';
import { type MailingStatus, planBatches } from './mailing.js';
import type { BatchKey } from './send-batch.js';
import { execute, loadSql, type Sql, select, selectOne, selectOptional } from './sql.js';

export type Resend =
  /** The new mailing is `sending`; its batches are to be enqueued (mailSend). The reconciler finds them otherwise. */
  | { result: 'started'; mailingId: bigint; recipients: number; batches: BatchKey[] }
  /** A dry run: that many would get it. */
  | { result: 'possible'; recipients: number }
  /** Nobody whose latest response is a soft bounce is left: nothing was made. */
  | { result: 'nobody' }
  /** Only a finished mailing can be resent. */
  | { result: 'refused'; status: MailingStatus }
  | { result: 'unknown_mailing' };

const RECIPIENTS = loadSql(import.meta.url, 'resend-recipients.sql');

export interface ResendOptions {
  /** Recipients per batch; default: as in the mailing that is resent. */
  batchSize?: number;
  /** Only tell how many would get it. */
  dryRun?: boolean;
}

/**
 * Makes a mailing with a new ID for those recipients of a finished one whose latest response is a soft bounce (spec 3),
 * and starts it: same campaign, source and frozen content. Recipients that are suppressed by now, or that an earlier
 * resend of this mailing has tried, are left out, so running it twice mails nobody twice. One transaction.
 */
export function resendToSoftBounces(db: Database, mailingId: bigint, options: ResendOptions = {}): Promise<Resend> {
  return db.transaction(async (sql): Promise<Resend> => {
    const mailing = await selectOptional<{ status: MailingStatus; clientId: bigint }>(
      sql,
      'SELECT status, client_id AS "clientId" FROM mailing WHERE id = $1 FOR UPDATE',
      [mailingId],
    );
    if (!mailing) return { result: 'unknown_mailing' };
    if (mailing.status !== 'finished') return { result: 'refused', status: mailing.status };
    await sql.query('SAVEPOINT before');
    const made = await selectOne<{ id: bigint }>(sql, COPY_MAILING, [mailingId]);
    const recipients = await execute(sql, RECIPIENTS, [mailingId, made.id, mailing.clientId]);
    if (recipients === 0 || options.dryRun) {
      await sql.query('ROLLBACK TO SAVEPOINT before');
      return recipients === 0 ? { result: 'nobody' } : { result: 'possible', recipients };
    }
    await copyContent(sql, mailingId, made.id);
    await planBatches(sql, made.id, options.batchSize ?? (await selectBatchSize(sql, mailingId)));
    const batches = await start(sql, made.id, recipients);
    return { result: 'started', mailingId: made.id, recipients, batches };
  });
}

const COPIED =
  'client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, product_version_id, recommendation_version_id';
const COPY_MAILING = `INSERT INTO mailing (${COPIED}, resend_of) SELECT ${COPIED}, id FROM mailing WHERE id = $1 RETURNING id`;

async function selectBatchSize(sql: Sql, mailingId: bigint): Promise<number> {
  const { size } = await selectOne<{ size: number }>(
    sql,
    'SELECT coalesce(max(recipients), 1) AS size FROM send_batch WHERE mailing_id = $1',
    [mailingId],
  );
  return size;
}

/** The links get IDs of their own: clicks on the new mailing are its. */
async function copyContent(sql: Sql, from: bigint, to: bigint): Promise<void> {
  await sql.query(
    `INSERT INTO mailing_content (mailing_id, content_hash, source, program)
     SELECT $2, content_hash, source, program FROM mailing_content WHERE mailing_id = $1`,
    [from, to],
  );
  await sql.query(
    `INSERT INTO mailing_attachment (mailing_id, ordinal, name, media_type, sha256)
     SELECT $2, ordinal, name, media_type, sha256 FROM mailing_attachment WHERE mailing_id = $1`,
    [from, to],
  );
  await sql.query(
    `INSERT INTO link (mailing_id, ordinal, purpose, name, url, personalised)
     SELECT $2, ordinal, purpose, name, url, personalised FROM link WHERE mailing_id = $1`,
    [from, to],
  );
}

async function start(sql: Sql, mailingId: bigint, recipients: number): Promise<BatchKey[]> {
  await sql.query(`UPDATE mailing SET status = 'sending', started_at = now(), recipients = $2 WHERE id = $1`, [
    mailingId,
    recipients,
  ]);
  return select(
    sql,
    'SELECT mailing_id AS "mailingId", ordinal AS batch FROM send_batch WHERE mailing_id = $1 ORDER BY ordinal',
    [mailingId],
  );
}
