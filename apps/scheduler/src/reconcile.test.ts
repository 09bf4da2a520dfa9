import { useTestDatabase } from '@postloop/db/testing';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { reconcile } from './reconcile.js';
import { recordingProducer, testMetrics } from './testing/scheduler-fixture.js';

const { db } = await useTestDatabase();
beforeEach(async () => {
  await db.pool.query('TRUNCATE client CASCADE');
  await db.pool.query(`
    INSERT INTO client (id, name, directory) SELECT n * 1000, 'client ' || n, 'c' || n FROM generate_series(1, 9) n;
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (10000, 1000, 'master', 'list');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (11000, 1000, 10000, 'news', '', '', '', 'html', '');`);
});

const AFTER_MS = 15_000;

async function run(waiting = 0) {
  const producer = recordingProducer();
  producer.waiting = waiting;
  await reconcile({ db, producer, log: { info: vi.fn(), debug: vi.fn() }, metrics: testMetrics() }, AFTER_MS);
  return producer.jobs;
}

async function insertImport(id: bigint, clientId: bigint, status: string, filed: boolean, agoSeconds: number) {
  await db.pool.query(
    `INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status, filed, changed_at)
     VALUES ($1::bigint, $2, 'import', $1::bigint || '.csv', 1, now(), $3, $4, now() - $5 * interval '1 s')`,
    [id, clientId, status, filed, agoSeconds],
  );
}

async function insertMailing(id: bigint, status: string, startedSecondsAgo: number) {
  await insertImport(id - 500n, 1_000n, 'started', true, 3_600);
  await db.pool.query(
    `INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, status, started_at)
     VALUES ($1::bigint, 1000, $1::bigint - 500, 11000, 1, 10000, 'news', false, $2, now() - $3 * interval '1 s')`,
    [id, status, startedSecondsAgo],
  );
}

/** Due and lease in seconds from now. */
async function insertBatch(
  mailingId: bigint,
  ordinal: number,
  status: string,
  changedAgo: number,
  inSeconds: number | null = null,
) {
  await db.pool.query(
    `INSERT INTO send_batch (mailing_id, ordinal, first_id, last_id, recipients, status, changed_at, due_at, lease_until)
     VALUES ($1, $2, 1, 1, 1, $3, now() - $4 * interval '1 s', now() + $5 * interval '1 s', now() + $5 * interval '1 s')`,
    [mailingId, ordinal, status, changedAgo, inSeconds],
  );
}

describe('reconcile', () => {
  test('a calm system: nothing to do', async () => {
    expect(await run()).toEqual([]);
  });

  test('imports that stand still, each to whoever goes on with it', async () => {
    await insertImport(20_000n, 1_000n, 'claiming', false, 60);
    await insertImport(21_000n, 2_000n, 'claimed', false, 60);
    await insertImport(22_000n, 3_000n, 'imported', true, 60);
    await insertImport(23_000n, 4_000n, 'imported', false, 60);
    await insertImport(24_000n, 5_000n, 'failed', false, 60);
    await insertImport(25_000n, 6_000n, 'claimed', false, 5);
    await insertImport(26_000n, 7_000n, 'started', true, 60);
    await insertImport(27_000n, 8_000n, 'failed', true, 60);

    expect(await run()).toEqual([
      ['inboxPoll', { v: 1, clientId: 1_000n }],
      ['fileImport', { v: 1, importId: 21_000n }],
      ['fileImport', { v: 1, importId: 23_000n }],
      ['fileImport', { v: 1, importId: 24_000n }],
      ['mailingBuild', { v: 1, importId: 22_000n }],
      ['mailingBuild', { v: 1, importId: 23_000n }],
    ]);
  });

  test('batches that nobody works on although they could', async () => {
    await insertMailing(30_000n, 'sending', 60);
    await insertBatch(30_000n, 0, 'queued', 60);
    await insertBatch(30_000n, 1, 'queued', 5);
    await insertBatch(30_000n, 2, 'waiting', 60, -1);
    await insertBatch(30_000n, 3, 'waiting', 60, 60);
    await insertBatch(30_000n, 4, 'claimed', 60, -1);
    await insertBatch(30_000n, 5, 'claimed', 60, 60);
    await insertBatch(30_000n, 6, 'done', 60);
    await insertMailing(31_000n, 'paused', 60);
    await insertBatch(31_000n, 0, 'queued', 60);

    expect(await run()).toEqual([0, 2, 4].map((batch) => ['mailSend', { v: 1, mailingId: 30_000n, batch }]));
  });

  test('a batch that nobody took is left alone while send jobs wait in the queue', async () => {
    await insertMailing(30_000n, 'sending', 60);
    await insertBatch(30_000n, 0, 'queued', 60);
    await insertBatch(30_000n, 1, 'claimed', 60, -1);
    expect(await run(7)).toEqual([['mailSend', { v: 1, mailingId: 30_000n, batch: 1 }]]);
  });

  test('batches that a lost sender held are taken back once their mailing is paused or cancelled', async () => {
    for (const [id, status] of [
      [30_000n, 'paused'],
      [31_000n, 'cancelled'],
    ] as const) {
      await insertMailing(id, status, 60);
      await insertBatch(id, 0, 'claimed', 60, -1);
      await insertBatch(id, 1, 'claimed', 60, 60);
    }
    expect(await run()).toEqual([]);
    const { rows } = await db.pool.query<{ status: string }>(
      'SELECT status FROM send_batch ORDER BY mailing_id, ordinal',
    );
    expect(rows.map(({ status }) => status)).toEqual(['queued', 'claimed', 'done', 'claimed']);
  });

  test('finishes mailings whose batches are all done', async () => {
    await insertMailing(30_000n, 'sending', 60);
    await insertBatch(30_000n, 0, 'done', 60);
    await insertMailing(31_000n, 'sending', 60);
    await insertBatch(31_000n, 0, 'done', 5);
    await insertMailing(32_000n, 'sending', 60);
    await insertBatch(32_000n, 0, 'done', 60);
    await insertBatch(32_000n, 1, 'claimed', 60, 60);

    expect(await run()).toEqual([]);
    const { rows } = await db.pool.query('SELECT id, status, finished_ticket AS ticket FROM mailing ORDER BY id');
    expect(rows).toEqual([
      { id: 30_000n, status: 'finished', ticket: 1n },
      { id: 31_000n, status: 'sending', ticket: null },
      { id: 32_000n, status: 'sending', ticket: null },
    ]);
  });

  test('exports that were planned and not finished, or came due and were never planned', async () => {
    const ran = (client: bigint, kind: string, ago: number) =>
      db.pool.query(
        `INSERT INTO schedule (client_id, kind, cron, next_due_at, last_run_at) VALUES ($1, $2, '@daily', now() + interval '1 day', now() - $3 * interval '1 s')`,
        [client, kind, ago],
      );
    const planned = (client: bigint, status: string, ago: number) =>
      db.pool.query(
        `INSERT INTO export (client_id, from_ticket, to_ticket, run, day, run_of_day, status, created_at)
         VALUES ($1, 0, 0, 1, current_date, 1, $2, now() - $3 * interval '1 s')`,
        [client, status, ago],
      );
    await planned(1_000n, 'planned', 60);
    await planned(2_000n, 'planned', 5);
    await ran(3_000n, 'response_export', 60); // lost by the queue
    await ran(4_000n, 'response_export', 5); // may still wait in the queue
    await ran(5_000n, 'inbox_poll', 60);
    await ran(6_000n, 'response_export', 600); // served
    await planned(6_000n, 'done', 590);
    await ran(7_000n, 'response_export', 600); // an older run was taken up again, this tick is still open
    await planned(7_000n, 'done', 86_400);
    await ran(1_000n, 'response_export', 50);
    await db.pool.query(`UPDATE client SET settings = '{"modules": {"export": false}}' WHERE id IN (8000, 9000)`);
    await planned(8_000n, 'planned', 600); // their export module is off
    await ran(9_000n, 'response_export', 600);

    expect(await run()).toEqual([
      ['responseExport', { v: 1, clientId: 1_000n, resume: true }],
      ['responseExport', { v: 1, clientId: 3_000n, resume: false }],
      ['responseExport', { v: 1, clientId: 7_000n, resume: false }],
    ]);
  });

  test('one at a time: while another is at it, nothing is done', async () => {
    await insertImport(21_000n, 2_000n, 'claimed', false, 60);
    let seenBySecond: unknown;
    const producer = {
      ...recordingProducer(),
      enqueueAll: async () => {
        seenBySecond = await run();
        return true;
      },
    };
    await reconcile({ db, producer, log: { info: vi.fn(), debug: vi.fn() }, metrics: testMetrics() }, AFTER_MS);
    expect(seenBySecond).toEqual([]);
    expect(await run()).toHaveLength(1);
  });
});
