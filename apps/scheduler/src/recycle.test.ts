import { insertEvents, insertResponses, resendToSoftBounces } from '@postloop/db';
import { useTestDatabase } from '@postloop/db/testing';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recycle } from './recycle.js';
import { stoppedClock } from './testing/scheduler-fixture.js';

const { db } = await useTestDatabase();
beforeEach(async () => {
  await db.pool.query('TRUNCATE client, mailing_recipient, delivery, event, response CASCADE');
  await db.pool.query(`
    INSERT INTO client (id, name, directory, settings) VALUES (1000, 'Acme', 'acme', '{"retention": {"mailingDays": 14, "identityMonths": 2}}');
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (10000, 1000, 'master', 'list'), (12000, 1000, 'import', 'rows');
    INSERT INTO recipient_list_field (list_id, ordinal, name, type, role) VALUES
      (12000, 1, 'Email', 'varchar', 'email'), (12000, 2, 'BROADMAIL_ID', 'bigint', 'broadmail_id'),
      (12000, 3, 'Name', 'varchar', NULL), (12000, 4, 'Customer', 'varchar', 'customer_id');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (11000, 1000, 10000, 'news', '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (13000, 1000, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, recipient_list_id, name, test, status, created_at, started_at, finished_ticket)
      VALUES (${MAILING}, 1000, 13000, 11000, 12000, 'news', false, 'finished', '2026-03-01T08:00Z', '2026-03-01T09:00Z', take_ticket(1000));
    INSERT INTO mailing_recipient (mailing_id, id, line, wave_id, email, fields, status)
      SELECT ${MAILING}, 20000 + n * 1000, n, 7, 'p' || n || '@x.example', ARRAY['p' || n || '@x.example', '11000', 'Ada', 'C-' || n], 'queued' FROM generate_series(1, 5) n;
    INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status) SELECT mailing_id, id, 1, 'sent' FROM mailing_recipient;`);
});

const MAILING = 14_000n;
const RECIPIENT = 21_000n;

/** One round at that time. */
const round = (now: string, batches = 100) =>
  recycle({ db, clock: stoppedClock(now), log: { info: vi.fn() } }, { batchSize: 2, batches });

/** A run of the response files of that day. */
const exported = (day: string, status = 'done') =>
  db.pool.query(
    `INSERT INTO export (client_id, from_ticket, to_ticket, run, day, run_of_day, status)
     SELECT 1000, 0, 99, count(*) + 1, $1, count(*) + 1, $2 FROM export`,
    [day, status],
  );

async function recipients() {
  const { rows } = await db.pool.query<{ email: string; wave_id: bigint; fields: (string | null)[] }>(
    'SELECT email, wave_id, fields FROM mailing_recipient ORDER BY id',
  );
  return rows;
}

const recycledOnes = async () => (await recipients()).filter(({ fields }) => fields[2] === null).length;

describe('a mailing whose lifetime is over', () => {
  test('keeps IDs and addresses of its recipients; everything else about them goes', async () => {
    await exported('2026-03-16');
    await round('2026-03-17T00:00:00Z');
    expect(await recipients()).toEqual(
      [1, 2, 3, 4, 5].map((n) => ({
        email: `p${n}@x.example`,
        wave_id: 7n,
        fields: [`p${n}@x.example`, null, null, `C-${n}`],
      })),
    );
  });

  test('waits for the day to come, for a run planned after it, and for runs that are not finished', async () => {
    await exported('2026-03-15');
    await round('2026-03-15T08:59:59Z'); // 14 days are over a second later
    await round('2026-03-20T00:00:00Z'); // its last day is not told yet
    expect(await recycledOnes()).toBe(0);
    await exported('2026-03-16');
    await exported('2026-03-17', 'planned');
    await round('2026-03-20T00:00:00Z');
    expect(await recycledOnes()).toBe(0);
    await db.pool.query(`UPDATE export SET status = 'done'`);
    await round('2026-03-15T08:59:59Z');
    expect(await recycledOnes()).toBe(0);
    await round('2026-03-20T00:00:00Z');
    expect(await recycledOnes()).toBe(5);
  });

  test.each(['building', 'scheduled', 'sending', 'paused'])('is not touched while it is %s', async (status) => {
    await exported('2026-04-01');
    await db.pool.query('UPDATE mailing SET status = $1', [status]);
    await round('2026-05-01T00:00:00Z');
    expect(await recycledOnes()).toBe(0);
  });

  test('needs no export when it is a test, or when the export module is off', async () => {
    await db.pool.query('UPDATE mailing SET test = true');
    await round('2026-03-20T00:00:00Z');
    expect(await recycledOnes()).toBe(5);
    await db.pool.query(`UPDATE mailing SET test = false, recycled_at = NULL, recycled_id = 0`);
    await db.pool.query(`UPDATE mailing_recipient SET fields[3] = 'Ada'`);
    await round('2026-03-20T00:00:00Z');
    expect(await recycledOnes()).toBe(0);
    await db.pool.query(`UPDATE client SET settings = settings || '{"modules": {"export": false}}'`);
    await round('2026-03-20T00:00:00Z');
    expect(await recycledOnes()).toBe(5);
  });

  test('that failed to start can no longer be started', async () => {
    await exported('2026-04-01');
    await db.pool.query(`UPDATE mailing SET status = 'failed', started_at = NULL`);
    await round('2026-05-01T00:00:00Z');
    expect((await db.pool.query('SELECT status FROM mailing')).rows).toEqual([{ status: 'cancelled' }]);
  });

  test('goes on where the last round, or a scheduler that died, stopped; several do each row once', async () => {
    await exported('2026-04-01');
    await round('2026-05-01T00:00:00Z', 1);
    expect(await recycledOnes()).toBe(2);
    const written = async () =>
      (await db.pool.query('SELECT id, xmin FROM mailing_recipient ORDER BY id LIMIT 2')).rows;
    const first = await written();
    await Promise.all([1, 2, 3].map(() => round('2026-05-01T00:00:00Z')));
    await round('2026-05-01T00:00:00Z');
    expect(await recycledOnes()).toBe(5);
    expect(await written()).toEqual(first);
  });

  test('is not resent any more: mails with empty fields would go out', async () => {
    await exported('2026-03-16');
    await insertResponses(db.pool, [{ ...lateBounce(), category: 'temporary_bounce' }]);
    expect(await resendToSoftBounces(db, MAILING, { dryRun: true })).toEqual({ result: 'possible', recipients: 1 });
    await round('2026-04-01T00:00:00Z');
    expect(await resendToSoftBounces(db, MAILING, { dryRun: true })).toEqual({ result: 'nobody' });
  });

  test('still takes events and responses, with the address they are about', async () => {
    await exported('2026-03-16');
    await round('2026-04-01T00:00:00Z');
    await insertEvents(db, [lateUnsubscribe()]);
    await insertResponses(db.pool, [lateBounce()]);
    const { rows } = await db.pool.query('SELECT address, reason FROM suppression');
    expect(rows).toEqual([{ address: 'p1@x.example', reason: 'unsubscribed' }]);
    const counted = await db.pool.query('SELECT address, hard FROM bounce_count');
    expect(counted.rows).toEqual([{ address: 'p1@x.example', hard: 1 }]);
  });
});

const lateUnsubscribe = () =>
  ({
    id: '00000000-0000-7000-8000-000000000001',
    mailingId: MAILING,
    recipientId: RECIPIENT,
    kind: 'unsubscribe',
    linkOrdinal: 2,
    occurredAt: new Date('2026-04-02T00:00:00Z'),
    browser: '',
    platform: '',
    device: '',
    verdict: 'human',
    verdictRule: '',
    userAgent: null,
  }) as const;

const lateBounce = () =>
  ({
    mailingId: MAILING,
    recipientId: RECIPIENT,
    category: 'fatal_bounce',
    statusCode: '5.1.1',
    diagnostic: '550 no such user p1@x.example',
    rule: 'test',
    kind: 'dsn',
    reason: null,
    messageId: null,
    occurredAt: null,
    complaint: false,
  }) as const;

describe('after the months of identities', () => {
  beforeEach(async () => {
    await exported('2026-03-16');
    await round('2026-04-01T00:00:00Z');
    await insertResponses(db.pool, [lateBounce()]);
  });

  test('addresses go, and what servers said of them; the mailing, its events and responses stay', async () => {
    await round('2026-05-01T08:59:59Z');
    expect(await recipients()).toHaveLength(5);
    await round('2026-05-01T09:00:00Z');
    expect(await recipients()).toEqual([]);
    expect((await db.pool.query('SELECT 1 FROM delivery')).rowCount).toBe(0);
    expect((await db.pool.query('SELECT category, diagnostic FROM response')).rows).toEqual([
      { category: 'fatal_bounce', diagnostic: null },
    ]);
    expect((await db.pool.query('SELECT 1 FROM mailing')).rowCount).toBe(1);
  });

  test('what is heard then is recorded, about nobody', async () => {
    await round('2026-06-01T00:00:00Z');
    expect(await insertEvents(db, [lateUnsubscribe()])).toBe(1);
    expect((await db.pool.query('SELECT 1 FROM suppression')).rowCount).toBe(0);
  });
});
