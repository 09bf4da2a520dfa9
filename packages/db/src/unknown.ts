import type { Database } from './database.js';
import type { MailingStatus } from './mailing.js';
import type { BatchKey } from './send-batch.js';
import { execute, loadSql, type Sql, select, selectOptional } from './sql.js';

// Recipients whose outcome is unknown: a sender handed the mail over and was lost before the answer was recorded, and only
// the server knows (RFC 1047). People decide what becomes of them.

export interface UnknownRecipient {
  mailingId: bigint;
  mailingName: string;
  clientName: string;
  recipientId: bigint;
  email: string | null;
  sentAt: Date;
  reason: string | null;
}

export interface UnknownFilter {
  clientId: bigint | null;
  mailingId: bigint | null;
}

/** The newest that nobody closed. Reads the deliveries of the mailings it is asked for. */
export function selectUnknownRecipients(
  sql: Sql,
  { clientId, mailingId }: UnknownFilter,
  limit: number,
): Promise<UnknownRecipient[]> {
  return select(
    sql,
    `SELECT d.mailing_id AS "mailingId", m.name AS "mailingName", c.name AS "clientName", d.recipient_id AS "recipientId", r.email,
            d.started_at AS "sentAt", d.reason
       FROM mailing m
       JOIN client c ON c.id = m.client_id
       JOIN delivery d ON d.mailing_id = m.id AND d.status = 'unknown'
       JOIN mailing_recipient r ON r.mailing_id = d.mailing_id AND r.id = d.recipient_id
      WHERE ($1::bigint IS NULL OR m.client_id = $1) AND ($2::bigint IS NULL OR m.id = $2)
        AND NOT EXISTS (SELECT 1 FROM unknown_closed u WHERE u.mailing_id = d.mailing_id AND u.recipient_id = d.recipient_id)
      ORDER BY d.mailing_id DESC, d.recipient_id LIMIT $3`,
    [clientId, mailingId, limit],
  );
}

export type UnknownOutcome =
  | { result: 'unknown_mailing' }
  /** Cancelled or failed mailings send nothing, and of recycled ones there is nothing left to send. */
  | { result: 'refused'; why: MailingStatus | 'recycled' }
  | { result: 'done'; recipients: number; batches: BatchKey[] };

export interface UnknownChoice {
  mailingId: bigint;
  /** Null: all of the mailing. */
  recipients: readonly bigint[] | null;
  dryRun?: boolean;
}

const RESEND = loadSql(import.meta.url, 'unknown-resend.sql');

/**
 * Has unknown recipients sent to again, under the same Message-ID: who already has the mail may get it twice. They become due
 * in their batch, and whoever claims that next sends; a late answer of the first attempt is refused from now on. A finished
 * mailing sends again, and stays in the export that told of it. One transaction; the caller enqueues the batches.
 */
export function resendUnknown(db: Database, { mailingId, recipients, dryRun }: UnknownChoice): Promise<UnknownOutcome> {
  return db.transaction(async (sql): Promise<UnknownOutcome> => {
    // The mailing before its batches, as whoever releases a batch.
    const mailing = await selectOptional<{ status: MailingStatus; recycled: boolean }>(
      sql,
      'SELECT status, (recycled_id > 0 OR recycled_at IS NOT NULL) AS recycled FROM mailing WHERE id = $1 FOR UPDATE',
      [mailingId],
    );
    if (!mailing) return { result: 'unknown_mailing' };
    const { status } = mailing;
    if (mailing.recycled) return { result: 'refused', why: 'recycled' };
    if (!['sending', 'paused', 'finished'].includes(status)) return { result: 'refused', why: status };
    const open = await selectOpenUnknown(sql, mailingId, recipients);
    if (dryRun || open.length === 0) return { result: 'done', recipients: open.length, batches: [] };
    const batches = await select<BatchKey>(sql, RESEND, [mailingId, open]);
    if (status === 'finished') await sql.query(`UPDATE mailing SET status = 'sending' WHERE id = $1`, [mailingId]);
    return { result: 'done', recipients: open.length, batches: status === 'paused' ? [] : batches };
  });
}

/** Leaves unknown recipients as they are for good, with a note why: nobody is asked about them again. */
export function closeUnknown(
  db: Database,
  { mailingId, recipients, dryRun }: UnknownChoice,
  note: string,
): Promise<UnknownOutcome> {
  return db.transaction(async (sql): Promise<UnknownOutcome> => {
    if (!(await selectOptional(sql, 'SELECT 1 FROM mailing WHERE id = $1 FOR UPDATE', [mailingId])))
      return { result: 'unknown_mailing' };
    const open = await selectOpenUnknown(sql, mailingId, recipients);
    if (!dryRun)
      await execute(
        sql,
        'INSERT INTO unknown_closed (mailing_id, recipient_id, note) SELECT $1, id, $3 FROM unnest($2::bigint[]) AS id',
        [mailingId, open, note],
      );
    return { result: 'done', recipients: open.length, batches: [] };
  });
}

async function selectOpenUnknown(sql: Sql, mailingId: bigint, recipients: readonly bigint[] | null): Promise<bigint[]> {
  const rows = await select<{ id: bigint }>(
    sql,
    // An erased one has no address.
    `SELECT d.recipient_id AS id FROM delivery d JOIN mailing_recipient r ON r.mailing_id = d.mailing_id AND r.id = d.recipient_id AND r.email IS NOT NULL
      WHERE d.mailing_id = $1 AND d.status = 'unknown' AND ($2::bigint[] IS NULL OR d.recipient_id = ANY($2))
        AND NOT EXISTS (SELECT 1 FROM unknown_closed u WHERE u.mailing_id = d.mailing_id AND u.recipient_id = d.recipient_id)
      ORDER BY d.recipient_id FOR UPDATE OF d`,
    [mailingId, recipients],
  );
  return rows.map(({ id }) => id);
}
