import { beforeEach, describe, expect, it } from 'vitest';
import { orderMailing } from './control.js';
import { selectMailingSummary } from './inspect.js';
import { planBatches, startDueMailings, startMailings } from './mailing.js';
import { selectIdleBatches } from './send-batch.js';
import { insertMailing, MAILING } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();

const IMPORT = 10_000n;
const BATCH = { mailingId: MAILING, batch: 0 };
const DUE = new Date('2026-11-30T09:00:00Z');
const EARLIER = new Date('2026-11-30T08:59:59Z');

const start = (now: Date) => db.transaction((sql) => startMailings(sql, IMPORT, now));
const startDue = (now: Date) => db.transaction((sql) => startDueMailings(sql, now));
const mailing = async () => selectMailingSummary(db.pool, MAILING);

beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query(`UPDATE mailing SET status = 'building', started_at = NULL, send_at = $1`, [DUE]);
  await db.pool.query(`UPDATE import SET status = 'imported'`);
});

describe('a mailing with a time', () => {
  it('is built, and waits for it', async () => {
    expect(await start(EARLIER)).toEqual([]);
    expect(await mailing()).toMatchObject({ status: 'scheduled', sendAt: DUE, startedAt: null, recipients: 4n });
    const { rows } = await db.pool.query('SELECT status FROM import');
    expect(rows).toEqual([{ status: 'started' }]);
    expect(await selectIdleBatches(db.pool, 0, true)).toEqual([]);
  });

  it('starts when it comes, once', async () => {
    await start(EARLIER);
    expect(await startDue(EARLIER)).toEqual({ started: [], batches: [] });
    expect(await startDue(DUE)).toEqual({ started: [MAILING], batches: [BATCH] });
    expect(await mailing()).toMatchObject({ status: 'sending', startedAt: expect.any(Date) });
    expect(await startDue(DUE)).toEqual({ started: [], batches: [] });
  });

  it('that is past is sent at once', async () => {
    expect(await start(DUE)).toEqual([BATCH]);
    expect(await mailing()).toMatchObject({ status: 'sending' });
  });

  it('and nobody to send to ends at once', async () => {
    await db.pool.query('DELETE FROM send_batch');
    await db.pool.query(`UPDATE mailing_recipient SET status = 'suppressed'`);
    await db.transaction((sql) => planBatches(sql, MAILING, 500));
    expect(await start(EARLIER)).toEqual([]);
    expect(await mailing()).toMatchObject({ status: 'finished', startedAt: expect.any(Date) });
  });

  it('is found by the reconciler when it was started and nobody was told', async () => {
    await start(EARLIER);
    await startDue(DUE);
    await db.pool.query(`UPDATE send_batch SET changed_at = now() - interval '1 min'`);
    await db.pool.query(`UPDATE mailing SET started_at = now() - interval '1 min'`);
    expect(await selectIdleBatches(db.pool, 15_000, true)).toEqual([BATCH]);
  });
});

describe('orders to a mailing that waits for its time', () => {
  beforeEach(async () => {
    await start(EARLIER);
  });

  it('cancelled: it never starts, and no export tells of it', async () => {
    expect(await orderMailing(db, MAILING, 'cancel')).toMatchObject({ before: 'scheduled', after: 'cancelled' });
    expect(await startDue(DUE)).toEqual({ started: [], batches: [] });
    const { rows } = await db.pool.query('SELECT finished_ticket FROM mailing');
    expect(rows).toEqual([{ finished_ticket: null }]);
  });

  it('paused: its time passes; resumed, it starts', async () => {
    expect(await orderMailing(db, MAILING, 'pause')).toMatchObject({ before: 'scheduled', after: 'paused' });
    expect(await startDue(DUE)).toEqual({ started: [], batches: [] });
    expect(await orderMailing(db, MAILING, 'resume')).toEqual({ before: 'paused', after: 'scheduled', batches: [] });
    expect(await startDue(EARLIER)).toEqual({ started: [], batches: [] });
    expect(await startDue(DUE)).toEqual({ started: [MAILING], batches: [BATCH] });
  });
});
