import { beforeEach, describe, expect, it } from 'vitest';
import { orderMailing } from './control.js';
import type { Attempt } from './delivery.js';
import { selectImportSummary, selectMailingStatusCounts, selectMailingSummary } from './inspect.js';
import { claimBatch, releaseAbandonedBatches, releaseBatch, selectIdleBatches } from './send-batch.js';
import { settle, takeOff } from './testing/deliveries.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';
import { selectRecipientTrace } from './trace.js';

const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const BATCH = { mailingId: MAILING, batch: 0 };
const claim = () => db.transaction((sql) => claimBatch(sql, BATCH, 60_000));
const exported = async () =>
  (await db.pool.query('SELECT finished_ticket IS NOT NULL AS told FROM mailing WHERE id = $1', [MAILING])).rows[0]
    .told;

async function deliver(status: string, recipients = RECIPIENTS): Promise<void> {
  await db.pool.query(
    `INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status) SELECT $1, id, 1, $3 FROM unnest($2::bigint[]) id`,
    [MAILING, recipients, status],
  );
}

describe('orders to a mailing', () => {
  it('nobody can claim from a paused mailing; resumed, its open batches are named', async () => {
    expect(await orderMailing(db, MAILING, 'pause')).toEqual({ before: 'sending', after: 'paused', batches: [] });
    expect(await claim()).toBeUndefined();
    expect(await selectIdleBatches(db.pool, 0, true)).toEqual([]);
    expect(await orderMailing(db, MAILING, 'resume')).toEqual({ before: 'paused', after: 'sending', batches: [BATCH] });
    expect(await claim()).toBeDefined();
  });

  it('a mailing whose last batch ended while it was paused is finished when resumed', async () => {
    const held = await claim();
    await orderMailing(db, MAILING, 'pause');
    await deliver('sent');
    if (held) await db.transaction((sql) => releaseBatch(sql, held));
    expect(await selectMailingSummary(db.pool, MAILING)).toMatchObject({ status: 'paused' });
    expect(await orderMailing(db, MAILING, 'resume')).toMatchObject({ after: 'finished', batches: [] });
    expect(await exported()).toBe(true);
  });

  it('a cancelled mailing is told in the next export, and every row has a final status', async () => {
    await deliver('sent', RECIPIENTS.slice(0, 1));
    await deliver('deferred', RECIPIENTS.slice(1, 2));
    expect(await orderMailing(db, MAILING, 'cancel')).toMatchObject({ before: 'sending', after: 'cancelled' });
    expect(await claim()).toBeUndefined();
    expect(await exported()).toBe(true);
    expect(await selectMailingStatusCounts(db.pool, MAILING)).toEqual({ cancelled: 3n, sent: 1n });
  });

  it('a mailing that never started is not told, and its import waits for nothing', async () => {
    await db.pool.query(`UPDATE mailing SET status = 'building', started_at = NULL`);
    await db.pool.query(`UPDATE import SET status = 'imported'`);
    await orderMailing(db, MAILING, 'cancel');
    expect(await exported()).toBe(false);
    expect(await selectImportSummary(db.pool, 10_000n)).toMatchObject({ status: 'started' });
  });

  it.each([
    ['finished', 'pause'],
    ['finished', 'cancel'],
    ['sending', 'resume'],
    ['cancelled', 'resume'],
  ] as const)('a %s mailing cannot be told to %s', async (status, order) => {
    await db.pool.query('UPDATE mailing SET status = $1', [status]);
    expect(await orderMailing(db, MAILING, order)).toEqual({ before: status, after: status, batches: [] });
  });

  it('an unknown mailing is told apart', async () => {
    expect(await orderMailing(db, 1n, 'pause')).toBeUndefined();
  });
});

describe('a sender that was lost with mails in flight of a mailing that is then', () => {
  const release = () => db.transaction(releaseAbandonedBatches);
  const counts = () => selectMailingStatusCounts(db.pool, MAILING);

  /** A sender takes the batch and puts two of its four mails in flight; what it holds. */
  async function putInFlight(): Promise<Attempt[]> {
    const held = await claim();
    if (!held) throw new Error('nothing to claim');
    const attempts = RECIPIENTS.slice(0, 2).map((recipientId) => ({ ...held, recipientId, email: 'r@x.example' }));
    await takeOff(db, attempts);
    return attempts;
  }
  const expireLease = () => db.pool.query(`UPDATE send_batch SET lease_until = now() - interval '1 s'`);

  it('cancelled: they are unknown once its lease is over, and every recipient is final', async () => {
    await putInFlight();
    await orderMailing(db, MAILING, 'cancel');
    expect(await release()).toEqual({ batches: 0, unknown: 0 });
    await expireLease();
    expect(await release()).toEqual({ batches: 1, unknown: 2 });
    expect(await counts()).toEqual({ cancelled: 2n, unknown: 2n });
    expect(await release()).toEqual({ batches: 0, unknown: 0 });
  });

  it('cancelled: nothing is sent again, whatever the client chose', async () => {
    await db.pool.query(`UPDATE client SET unknown_policy = 'resend'`);
    await putInFlight();
    await orderMailing(db, MAILING, 'cancel');
    await expireLease();
    await release();
    expect(await counts()).toEqual({ cancelled: 2n, unknown: 2n });
  });

  it('paused: they are unknown, and the others are sent when it is resumed', async () => {
    await putInFlight();
    await orderMailing(db, MAILING, 'pause');
    await expireLease();
    expect(await release()).toEqual({ batches: 1, unknown: 2 });
    expect(await counts()).toEqual({ queued: 2n, unknown: 2n });
    expect(await orderMailing(db, MAILING, 'resume')).toMatchObject({ after: 'sending', batches: [BATCH] });
    expect(await claim()).toMatchObject({ unknown: 0 });
  });

  it('cancelled: an answer that comes after all still counts', async () => {
    const attempts = await putInFlight();
    await orderMailing(db, MAILING, 'cancel');
    await expireLease();
    await release();
    const answered = { smtpCode: 250, reason: null, retryInMs: null, response: null };
    await settle(
      db,
      attempts.map((attempt) => ({ ...attempt, ...answered, status: 'sent' })),
    );
    expect(await counts()).toEqual({ cancelled: 2n, sent: 2n });
  });

  it('cancelled: a sender that lives gives its batch back for good', async () => {
    const held = await claim();
    await orderMailing(db, MAILING, 'cancel');
    if (!held) throw new Error('nothing to claim');
    expect(await db.transaction((sql) => releaseBatch(sql, held))).toEqual({ dueInMs: null, finished: false });
    expect(await release()).toEqual({ batches: 0, unknown: 0 });
  });

  it('still sending: it is left to the next holder', async () => {
    await putInFlight();
    await expireLease();
    expect(await release()).toEqual({ batches: 0, unknown: 0 });
    expect(await claim()).toMatchObject({ unknown: 2 });
  });
});

it('a trace holds the rows of the address alone, whatever its case, with their IDs whole', async () => {
  const [first = 0n] = RECIPIENTS;
  await deliver('sent');
  await db.pool.query(
    `INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, rule, occurred_at)
       SELECT $1, 5000, 1, id, 'bounce', 'smtp_answer', now() FROM unnest($2::bigint[]) id`,
    [MAILING, RECIPIENTS],
  );
  const trace = await selectRecipientTrace(db.pool, ` R${first}@X.example `);
  expect(trace.recipients).toMatchObject([
    { id: first, mailingId: MAILING, status: 'sent', responses: [{ category: 'bounce' }], events: [], exports: [] },
  ]);
  expect(trace.recipients[0]?.responses).toHaveLength(1);
});
