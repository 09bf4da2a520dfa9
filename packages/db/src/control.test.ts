import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { orderMailing, reviveImport } from './control.js';
import type { Database } from './database.js';
import { selectImportSummary, selectMailingStatusCounts, selectMailingSummary } from './inspect.js';
import { claimBatch, releaseBatch, selectIdleBatches } from './send-batch.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { openTestDatabase } from './testing/open-test-database.js';
import { selectRecipientTrace } from './trace.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let db: Database;
beforeAll(async () => {
  opened = await openTestDatabase();
  db = opened.db;
});
afterAll(() => opened[Symbol.asyncDispose]());
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

describe('reviving an import', () => {
  it('puts its failed mailings back to where they wait for their copies', async () => {
    await db.pool.query(`UPDATE mailing SET status = 'failed'`);
    await db.pool.query(`UPDATE import SET status = 'failed', accepted = true, filed = true, faults = '[]'`);
    expect(await reviveImport(db, 10_000n)).toBe(true);
    expect(await selectMailingSummary(db.pool, MAILING)).toMatchObject({ status: 'building' });
    expect(await selectImportSummary(db.pool, 10_000n)).toMatchObject({ status: 'imported', faults: null });
  });

  it('leaves one alone whose rows are not stored', async () => {
    await db.pool.query(`UPDATE mailing SET status = 'failed'`);
    await db.pool.query(`UPDATE import SET status = 'failed', filed = true`);
    expect(await reviveImport(db, 10_000n)).toBe(false);
    expect(await selectMailingSummary(db.pool, MAILING)).toMatchObject({ status: 'failed' });
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
