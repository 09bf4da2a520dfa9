import { finishMailing } from './mailing.js';
import { loadPrepared, loadSql, type Sql, select, selectOne, selectOptional } from './sql.js';

export interface BatchKey {
  mailingId: bigint;
  batch: number;
}

/** A lease on a batch. Whoever retakes it gets another attempt ID, and this one's writes are refused from then on. */
export interface BatchClaim extends BatchKey {
  attemptId: bigint;
  firstId: bigint;
  lastId: bigint;
  /** Recipients that an earlier holder left in flight: nobody knows whether the server took them. */
  unknown: number;
}

export interface RecipientToSend {
  id: bigint;
  /** Physical line in the recipient file, from 1. */
  line: bigint;
  email: string;
  fields: (string | null)[];
  /** Attempts made before. */
  attempts: number;
}

const CLAIM = loadPrepared(import.meta.url, 'send-batch-claim.sql');
const SETTLE_ORPHANS = loadSql(import.meta.url, 'send-batch-settle-orphans.sql');

/**
 * Takes a batch: a queued one, a waiting one that is due, or one whose holder let the lease run out. In the same
 * transaction, what the earlier holder had in flight becomes `unknown` (or due again, if the client chose so).
 * @returns undefined when there is nothing to take
 */
export async function claimBatch(sql: Sql, key: BatchKey, leaseMs: number): Promise<BatchClaim | undefined> {
  const claim = await selectOptional<Omit<BatchClaim, 'unknown'>>(sql, CLAIM, [key.mailingId, key.batch, leaseMs]);
  if (!claim) return undefined;
  const orphans = await select(sql, SETTLE_ORPHANS, [claim.mailingId, claim.firstId, claim.lastId, claim.attemptId]);
  return { ...claim, unknown: orphans.length };
}

/** Keeps the lease. @returns false when it was retaken: stop. */
export async function renewLease(sql: Sql, claim: BatchClaim, leaseMs: number): Promise<boolean> {
  const row = await selectOptional(
    sql,
    `UPDATE send_batch SET lease_until = now() + $4 * interval '1 ms', changed_at = now()
      WHERE mailing_id = $1 AND ordinal = $2 AND attempt_id = $3 AND status = 'claimed' RETURNING 1`,
    [claim.mailingId, claim.batch, claim.attemptId, leaseMs],
  );
  return row !== undefined;
}

/** The recipients of the batch that are to be sent now: not tried yet, or put off and due. */
export function selectRecipientsToSend(sql: Sql, claim: BatchClaim): Promise<RecipientToSend[]> {
  return select(
    sql,
    `SELECT r.id, r.line, r.email, r.fields, coalesce(d.attempts, 0) AS attempts
       FROM mailing_recipient r LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE r.mailing_id = $1 AND r.id BETWEEN $2 AND $3 AND r.status = 'queued'
        AND (d.status IS NULL OR d.status = 'deferred' AND d.next_attempt_at <= now())
      ORDER BY r.id`,
    [claim.mailingId, claim.firstId, claim.lastId],
  );
}

const OPEN = loadSql(import.meta.url, 'send-batch-open.sql');

/**
 * Gives the batch back: `done` when every recipient is final, else open again, due when its next recipient is. The last
 * batch that is done finishes the mailing. The mailing's row is locked before the batch's, as `finishMailing` needs.
 * @returns the milliseconds until the batch is due again; null when there is nothing left to do here
 */
export async function releaseBatch(
  sql: Sql,
  claim: BatchClaim,
): Promise<{ dueInMs: number | null; finished: boolean }> {
  await sql.query('SELECT 1 FROM mailing WHERE id = $1 FOR UPDATE', [claim.mailingId]);
  const open = await selectOne<{ untried: boolean; dueInMs: number | null }>(sql, OPEN, [
    claim.mailingId,
    claim.firstId,
    claim.lastId,
  ]);
  const status = open.untried ? 'queued' : open.dueInMs === null ? 'done' : 'waiting';
  const released = await selectOptional(
    sql,
    `UPDATE send_batch SET status = $4, lease_until = NULL, due_at = now() + $5 * interval '1 ms', changed_at = now()
      WHERE mailing_id = $1 AND ordinal = $2 AND attempt_id = $3 AND status = 'claimed' RETURNING 1`,
    [claim.mailingId, claim.batch, claim.attemptId, status, open.dueInMs],
  );
  if (!released) return { dueInMs: null, finished: false };
  const finished = status === 'done' && (await finishMailing(sql, claim.mailingId));
  return { dueInMs: open.untried ? 0 : open.dueInMs, finished };
}

/**
 * Batches that nobody works on although they could: due ones, leases that ran out and, with `untold`, new ones that nobody
 * took for `olderThanMs`.
 */
export function selectIdleBatches(sql: Sql, olderThanMs: number, untold: boolean): Promise<BatchKey[]> {
  return select(
    sql,
    `SELECT b.mailing_id AS "mailingId", b.ordinal AS batch
       FROM mailing m JOIN send_batch b ON b.mailing_id = m.id
      WHERE m.status = 'sending'
        AND ($2 AND b.status = 'queued' AND greatest(b.changed_at, m.started_at) < now() - $1 * interval '1 ms'
          OR b.status = 'waiting' AND b.due_at < now()
          OR b.status = 'claimed' AND b.lease_until < now())
      ORDER BY b.mailing_id, b.ordinal LIMIT 5000`,
    [olderThanMs, untold],
  );
}

const RELEASE_ABANDONED = loadSql(import.meta.url, 'send-batch-release-abandoned.sql');
/** A mailing of millions is worked off over several rounds. */
const ABANDONED_AT_ONCE = 1_000;

/**
 * Takes batches back that nobody will claim any more, because their mailing is paused or cancelled: those whose holder let the
 * lease run out, and all of a cancelled mailing that nobody holds. What was in flight becomes `unknown`, as it would for the
 * next holder; a late answer still settles it. One transaction of the caller's. @returns how many batches and recipients
 */
export async function releaseAbandonedBatches(sql: Sql): Promise<{ batches: number; unknown: number }> {
  const released = await select<Omit<BatchClaim, 'attemptId' | 'unknown'>>(sql, RELEASE_ABANDONED, [ABANDONED_AT_ONCE]);
  let unknown = 0;
  for (const { mailingId, firstId, lastId } of released)
    unknown += (await select(sql, SETTLE_ORPHANS, [mailingId, firstId, lastId, null])).length;
  return { batches: released.length, unknown };
}
