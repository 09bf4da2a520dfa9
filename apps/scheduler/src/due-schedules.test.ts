import { useTestDatabase } from '@postloop/db/testing';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { runDueSchedules } from './due-schedules.js';
import { recordingProducer, stoppedClock, testMetrics } from './testing/scheduler-fixture.js';

const { db } = await useTestDatabase();
beforeEach(() => db.pool.query('TRUNCATE schedule'));

const CLIENT = 9_007_199_254_741_000n;

async function insertSchedule(kind: string, cron: string, nextDueAt: string | null) {
  await db.pool.query(
    `INSERT INTO client (id, name, directory, time_zone) VALUES ($1, 'Acme', 'acme', 'Europe/Berlin') ON CONFLICT DO NOTHING`,
    [CLIENT],
  );
  await db.pool.query('INSERT INTO schedule (client_id, kind, cron, next_due_at) VALUES ($1, $2, $3, $4)', [
    CLIENT,
    kind,
    cron,
    nextDueAt,
  ]);
}

async function schedules() {
  const { rows } = await db.pool.query<{ kind: string; next_due_at: Date; last_run_at: Date | null }>(
    'SELECT kind, next_due_at, last_run_at FROM schedule ORDER BY kind',
  );
  return rows.map((row) => [row.kind, row.next_due_at.toISOString(), row.last_run_at?.toISOString() ?? null]);
}

function deps(now: string) {
  return {
    db,
    producer: recordingProducer(),
    clock: stoppedClock(now),
    log: { error: vi.fn() },
    metrics: testMetrics(),
    complained: new Set<string>(),
  };
}

describe('runDueSchedules', () => {
  test('runs what is due and goes on in the zone of the client, over a change of clocks', async () => {
    await insertSchedule('response_export', '0 9 * * *', '2026-10-24T07:00:00Z');
    const scheduler = deps('2026-10-24T06:59:59Z');

    expect(await runDueSchedules(scheduler)).toBe(0);
    scheduler.clock.set('2026-10-24T07:00:00Z');
    expect(await runDueSchedules(scheduler)).toBe(1);
    expect(await runDueSchedules(scheduler)).toBe(0);
    expect(scheduler.producer.jobs).toEqual([['responseExport', { v: 1, clientId: CLIENT, resume: false }]]);
    expect(await schedules()).toEqual([['response_export', '2026-10-25T08:00:00.000Z', '2026-10-24T07:00:00.000Z']]);

    scheduler.clock.set('2026-10-25T07:30:00Z');
    expect(await runDueSchedules(scheduler)).toBe(0);
    scheduler.clock.set('2026-10-25T08:00:00Z');
    expect(await runDueSchedules(scheduler)).toBe(1);
  });

  test('a schedule that is new, or whose cron was changed, gets its next time and does not run', async () => {
    await insertSchedule('response_export', '0 9 * * *', null);
    const scheduler = deps('2026-07-01T10:00:00Z');

    expect(await runDueSchedules(scheduler)).toBe(0);
    expect(scheduler.producer.jobs).toEqual([]);
    expect(await schedules()).toEqual([['response_export', '2026-07-02T07:00:00.000Z', null]]);
  });

  test('after a long absence each schedule runs once', async () => {
    await insertSchedule('inbox_poll', '*/10 * * * *', '2026-07-01T10:00:00Z');
    await insertSchedule('response_export', '0 * * * *', '2026-07-01T10:00:00Z');
    const scheduler = deps('2026-07-09T10:01:00Z');

    expect(await runDueSchedules(scheduler)).toBe(2);
    expect(scheduler.producer.jobs.map(([queue]) => queue).sort()).toEqual(['inboxPoll', 'responseExport']);
    expect((await schedules()).map(([, due]) => due)).toEqual(['2026-07-09T10:10:00.000Z', '2026-07-09T11:00:00.000Z']);
  });

  test('after a clock went an hour forward and back again, what ran meanwhile is due as before', async () => {
    await insertSchedule('inbox_poll', '*/10 * * * *', '2026-07-01T10:10:00Z');
    await insertSchedule('response_export', '0 9 * * *', '2026-07-01T10:10:00Z');
    const scheduler = deps('2026-07-01T11:10:00Z');
    expect(await runDueSchedules(scheduler)).toBe(2);

    scheduler.clock.set('2026-07-01T10:11:00Z');
    expect(await runDueSchedules(scheduler)).toBe(0);
    expect(await schedules()).toEqual([
      ['inbox_poll', '2026-07-01T10:20:00.000Z', null],
      ['response_export', '2026-07-02T07:00:00.000Z', null],
    ]);
    scheduler.clock.set('2026-07-01T10:20:00Z');
    expect(await runDueSchedules(scheduler)).toBe(1);
  });

  test('of two schedulers whose clocks differ by seconds one runs it', async () => {
    await insertSchedule('inbox_poll', '*/10 * * * *', '2026-07-01T10:10:00Z');
    expect(await runDueSchedules(deps('2026-07-01T10:10:00Z'))).toBe(1);
    const late = deps('2026-07-01T10:09:50Z');
    expect(await runDueSchedules(late)).toBe(0);
    late.clock.set('2026-07-01T10:10:00Z');
    expect(await runDueSchedules(late)).toBe(0);
  });

  test('stays due while the queue is away', async () => {
    await insertSchedule('inbox_poll', '*/10 * * * *', '2026-07-01T10:00:00Z');
    const scheduler = deps('2026-07-01T10:00:30Z');

    scheduler.producer.works = false;
    expect(await runDueSchedules(scheduler)).toBe(0);
    expect(await schedules()).toEqual([['inbox_poll', '2026-07-01T10:00:00.000Z', null]]);
    scheduler.producer.works = true;
    expect(await runDueSchedules(scheduler)).toBe(1);
  });

  test('a cron that cannot be read is said once, put off by an hour, and stops no other', async () => {
    await insertSchedule('inbox_poll', 'now and then', '2026-07-01T09:00:00Z');
    await insertSchedule('response_export', '0 9 * * *', '2026-07-01T10:00:00Z');
    const scheduler = deps('2026-07-01T10:00:00Z');

    expect(await runDueSchedules(scheduler)).toBe(1);
    scheduler.clock.set('2026-07-01T11:00:00Z');
    expect(await runDueSchedules(scheduler)).toBe(0);
    expect(scheduler.log.error).toHaveBeenCalledOnce();
    expect(scheduler.producer.jobs).toEqual([['responseExport', { v: 1, clientId: CLIENT, resume: false }]]);
    expect((await schedules())[0]).toEqual(['inbox_poll', '2026-07-01T12:00:00.000Z', null]);
  });

  test('of two schedulers at the same time one runs it', async () => {
    await insertSchedule('inbox_poll', '*/10 * * * *', '2026-07-01T10:00:00Z');
    const first = deps('2026-07-01T10:00:00Z');
    const second = deps('2026-07-01T10:00:00Z');
    // The second one looks while the first is in the middle of it.
    let seenBySecond = -1;
    const producer = {
      enqueue: async () => {
        seenBySecond = await runDueSchedules(second);
        return true;
      },
    };

    expect(await runDueSchedules({ ...first, producer })).toBe(1);
    expect(seenBySecond).toBe(0);
    expect(await runDueSchedules(second)).toBe(0);
  });
});
