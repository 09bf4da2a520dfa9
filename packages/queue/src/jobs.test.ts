import { type Payload, PermanentError, type QueueKey, queues, RetryLater } from '@postloop/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openJobQueue } from './connection.js';
import { gate } from './testing/arrivals.js';
import { backends, type TestBackend } from './testing/backends.js';
import { Rig } from './testing/rig.js';

// What both backends promise, said once. `fileImport` stands for the queues that drop what is asked for while it runs,
// `inboxPoll` for those that do it once more.

const retry = { attempts: 3, delayMs: 20 };
const file = (importId: bigint): Payload<'fileImport'> => ({ v: 1, importId });
const poll = (clientId: bigint): Payload<'inboxPoll'> => ({ v: 1, clientId });
const [A, B, LAST] = [file(1n), file(2n), file(99n)];

describe.each(backends)('jobs on $title', ({ open, missing }) => {
  let backend: TestBackend;
  beforeAll(async () => {
    if (!missing) backend = await open();
  });
  afterAll(() => backend?.[Symbol.asyncDispose]());
  const rig = async () => new Rig(await backend.newConnection(), { retry });
  const test = it.skipIf(missing);

  test('what is enqueued is run once, in order', async () => {
    await using house = await rig();
    const ran = house.work('fileImport');
    expect(await house.producer.enqueueAll('fileImport', [A, B])).toBe(true);
    expect(await house.producer.enqueue('fileImport', LAST)).toBe(true);
    await house.idle('fileImport');
    expect(ran.all).toEqual([A, B, LAST]);
  });

  test('an ID beyond 2^53 arrives as the bigint that it was', async () => {
    await using house = await rig();
    const ran = house.work('mailSend');
    const payload = { v: 1, mailingId: 2n ** 53n + 1n, batch: 7 } as const;
    await house.producer.enqueue('mailSend', payload);
    expect(await ran.next()).toEqual(payload);
  });

  test('a payload that is not of the contract is refused, told and not tried again', async () => {
    await using house = await rig();
    const raw = openJobQueue(house.connection, queues.fileImport.name);
    await raw.add('file-import', { v: 1, importId: '1; DROP' }, { attempts: 3, removeOnFail: true });
    await raw.close();
    const ran = house.work('fileImport');
    expect(await house.log.lines.next()).toMatch(/payload.*importId/s);
    await house.producer.enqueue('fileImport', LAST);
    await ran.next();
    await house.idle('fileImport');
    expect(ran.all).toEqual([LAST]);
  });

  test('an error is tried again by the rule, as often as it says', async () => {
    await using house = await rig();
    const times: number[] = [];
    const ran = house.work('fileImport', async () => {
      times.push(Date.now());
      throw new Error('the database is away');
    });
    await house.producer.enqueue('fileImport', A);
    await house.idle('fileImport');
    expect(ran.all).toEqual([A, A, A]);
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(retry.delayMs);
    expect(third - second).toBeGreaterThanOrEqual(2 * retry.delayMs);
  });

  test('a permanent error is not tried again', async () => {
    await using house = await rig();
    const ran = house.work('fileImport', async () => {
      throw new PermanentError('no such import');
    });
    await house.producer.enqueue('fileImport', A);
    await ran.next();
    await house.idle('fileImport');
    expect(ran.all).toEqual([A]);
  });

  test('"retry later" brings the job back after its time and uses up no attempt', async () => {
    await using house = new Rig(await backend.newConnection(), { retry: { attempts: 1, delayMs: 1 } });
    const times: number[] = [];
    const ran = house.work('fileImport', async () => {
      if (times.push(Date.now()) < 4) throw new RetryLater(50, 'not due yet');
    });
    await house.producer.enqueue('fileImport', A);
    await ran.next();
    await house.idle('fileImport');
    expect(ran.all).toEqual([A, A, A, A]);
    for (let i = 1; i < times.length; i += 1) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(50);
  });

  test('delayMs keeps a job back, and others go first', async () => {
    await using house = await rig();
    const ran = house.work('fileImport');
    const from = Date.now();
    await house.producer.enqueue('fileImport', A, { delayMs: 300 });
    await house.producer.enqueue('fileImport', B);
    expect(await ran.next()).toEqual(B);
    expect(await ran.next()).toEqual(A);
    expect(Date.now() - from).toBeGreaterThanOrEqual(300);
  });

  test('"once": what is asked for again while it runs is dropped', async () => {
    await using house = await rig();
    const { opened, open: release } = gate();
    const ran = house.work('fileImport', () => opened);
    await house.producer.enqueue('fileImport', A);
    await ran.next();
    expect(await house.producer.enqueue('fileImport', A)).toBe(true);
    release();
    await house.producer.enqueue('fileImport', LAST);
    await house.idle('fileImport');
    expect(ran.all).toEqual([A, LAST]);
  });

  test('"again": what is asked for while it runs is done once more, however often it is asked', async () => {
    await using house = await rig();
    const { opened, open: release } = gate();
    const ran = house.work('inboxPoll', () => opened);
    await house.producer.enqueue('inboxPoll', poll(1n));
    await ran.next();
    await house.producer.enqueueAll('inboxPoll', [poll(1n), poll(1n), poll(1n)]);
    release();
    await ran.next();
    await house.idle('inboxPoll');
    expect(ran.all).toEqual([poll(1n), poll(1n)]);
  });

  test.each<[QueueKey, string, Error | undefined]>([
    ['fileImport', 'was done', undefined],
    ['fileImport', 'failed for good', new PermanentError('no')],
    ['inboxPoll', 'was done', undefined],
    ['inboxPoll', 'failed for good', new PermanentError('no')],
  ])('%s: a job that %s leaves its ID free', async (key, _how, end) => {
    await using house = await rig();
    const payload = key === 'inboxPoll' ? poll(5n) : file(5n);
    const ran = house.work(key, async () => {
      if (end) throw end;
    });
    for (const time of [1, 2]) {
      await house.producer.enqueue(key, payload as Payload<typeof key>);
      await ran.next();
      await house.idle(key);
      expect(ran.all).toHaveLength(time);
    }
  });

  test('depths tells what waits, runs and is delayed, per queue', async () => {
    await using house = await rig();
    const { opened, open: release } = gate();
    const ran = house.work('fileImport', () => opened);
    await house.producer.enqueue('fileImport', A);
    await ran.next();
    await house.producer.enqueueAll('fileImport', [B, LAST]);
    await house.producer.enqueue('fileImport', file(3n), { delayMs: 60_000 });
    await house.producer.enqueue('inboxPoll', poll(1n));
    const { fileImport, inboxPoll, mailSend } = await house.producer.depths();
    expect(fileImport).toEqual({ waiting: 2, active: 1, delayed: 1 });
    expect(inboxPoll).toEqual({ waiting: 1, active: 0, delayed: 0 });
    expect(mailSend).toEqual({ waiting: 0, active: 0, delayed: 0 });
    release();
  });
});
