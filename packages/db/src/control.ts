import type { Database } from './database.js';
import { finishMailing, type MailingStatus } from './mailing.js';
import type { BatchKey } from './send-batch.js';
import { type Sql, select, selectOne, selectOptional } from './sql.js';

// What people decide about running mailings. Each decision is one transaction; the caller enqueues
// what it returns, and the reconciler does so where the caller could not.

export type MailingOrder = 'pause' | 'resume' | 'cancel';

/** The statuses in which an order means something, and the status that it leads to. */
export const mailingOrders: Record<MailingOrder, { from: readonly MailingStatus[]; to: MailingStatus }> = {
  pause: { from: ['scheduled', 'sending'], to: 'paused' },
  resume: { from: ['paused'], to: 'sending' },
  cancel: { from: ['building', 'scheduled', 'sending', 'paused'], to: 'cancelled' },
};

export interface OrderedMailing {
  before: MailingStatus;
  /**
   * As `before` when the order was refused. A resumed mailing whose last batch had ended meanwhile is `finished`; one that had
   * not started is `scheduled`, and starts when its time comes or has come.
   */
  after: MailingStatus;
  /** What to send now: the open batches of a resumed mailing. */
  batches: BatchKey[];
}

/**
 * Pauses, resumes or cancels a mailing. Effective at once: a sender asks the mailing's status in the statement that puts
 * mails in flight, so only what is in flight already is still handed over. A cancelled mailing that had started enters the
 * next export with what it sent.
 * @returns undefined when there is no such mailing
 */
export function orderMailing(db: Database, id: bigint, order: MailingOrder): Promise<OrderedMailing | undefined> {
  return db.transaction(async (sql) => {
    const found = await selectOptional<{ status: MailingStatus }>(
      sql,
      'SELECT status FROM mailing WHERE id = $1 FOR UPDATE',
      [id],
    );
    if (!found) return undefined;
    const { from, to } = mailingOrders[order];
    const before = found.status;
    if (!from.includes(before)) return { before, after: before, batches: [] };
    if (order === 'cancel') {
      await cancel(sql, id);
      return { before, after: to, batches: [] };
    }
    const { after } = await selectOne<{ after: MailingStatus }>(
      sql,
      `UPDATE mailing SET status = CASE WHEN $2 AND started_at IS NULL THEN 'scheduled' ELSE $3 END::mailing_status
        WHERE id = $1 RETURNING status AS after`,
      [id, order === 'resume', to],
    );
    if (after !== 'sending') return { before, after, batches: [] };
    const finished = await finishMailing(sql, id);
    return { before, after: finished ? 'finished' : after, batches: await selectOpenBatches(sql, id) };
  });
}

/** The mailing's row is locked. Ticket and status commit together, as for a mailing that ends by itself. */
async function cancel(sql: Sql, id: bigint): Promise<void> {
  await sql.query(
    `UPDATE mailing SET status = 'cancelled', finished_at = coalesce(finished_at, clock_timestamp()),
       finished_ticket = coalesce(finished_ticket, CASE WHEN started_at IS NOT NULL THEN take_ticket(client_id) END)
     WHERE id = $1`,
    [id],
  );
  // Nothing is left to build: else the reconciler would ask for it again and again.
  await sql.query(
    `UPDATE import i SET status = 'started', changed_at = now() FROM mailing m
      WHERE m.id = $1 AND i.id = m.import_id AND i.status = 'imported'
        AND NOT EXISTS (SELECT 1 FROM mailing o WHERE o.import_id = i.id AND o.status = 'building')`,
    [id],
  );
}

function selectOpenBatches(sql: Sql, mailingId: bigint): Promise<BatchKey[]> {
  return select(
    sql,
    `SELECT mailing_id AS "mailingId", ordinal AS batch FROM send_batch WHERE mailing_id = $1 AND status <> 'done' ORDER BY ordinal`,
    [mailingId],
  );
}
