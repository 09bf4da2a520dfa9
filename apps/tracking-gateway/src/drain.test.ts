import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedEvent } from '@postloop/db';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DrainOptions, startDrain } from './drain.js';
import { newEventId } from './event-id.js';
import { createMetrics } from './metrics.js';
import { rejectInto } from './rejected-file.js';
import { openSpool, type Spool } from './spool.js';
import { encodeEvent } from './spooled-event.js';
import { MAILING_ID, NOW, silentLog } from './testing/gateway-fixture.js';
import { signal } from './testing/segment-file.js';

let directory: string;
let spool: Spool;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postloop-drain-'));
  spool = await openSpool({ directory, log: silentLog });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

function spoolOpens(from: number, to: number): Promise<unknown> {
  const recipients = Array.from({ length: to - from + 1 }, (_, i) => BigInt(from + i));
  return Promise.all(
    recipients.map((recipientId) =>
      spool.append(
        encodeEvent({
          id: newEventId(NOW.getTime()),
          kind: 'open',
          mailingId: MAILING_ID,
          recipientId,
          ordinal: 1,
          occurredAtMs: NOW.getTime(),
          method: 'GET',
          userAgent: FIREFOX,
        }),
      ),
    ),
  );
}

/** A database that takes what `refuse` does not name. */
function startTestDrain(refuse: (event: RecordedEvent) => Error | undefined, options: Partial<DrainOptions> = {}) {
  const registry = new Registry();
  const recorded: RecordedEvent[] = [];
  const batches: number[] = [];
  const drain = startDrain({
    spool,
    insert: async (events) => {
      batches.push(events.length);
      const error = events.map(refuse).find((found) => found !== undefined);
      if (error) throw error;
      recorded.push(...events);
    },
    reject: rejectInto(directory, () => NOW),
    metrics: createMetrics(registry),
    log: silentLog,
    intervalMs: 1,
    ...options,
  });
  const recipients = () => recorded.map(({ recipientId }) => Number(recipientId));
  return { drain, recorded, batches, recipients, registry };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const segments = async () => (await readdir(directory)).filter((name) => name.endsWith('.spool'));

describe('the drain', () => {
  it('records each event once, in order, in batches, and then no file is left', async () => {
    await spoolOpens(1, 25);
    const { drain, batches, recipients } = startTestDrain(() => undefined, { batchSize: 10 });
    await expect.poll(recipients).toEqual(numbers(1, 25));
    await spoolOpens(26, 30);
    await expect.poll(recipients).toEqual(numbers(1, 30));
    expect(batches.slice(0, 3)).toEqual([10, 10, 5]);
    await drain.finish(1_000);
    await spool.close();
    expect(await segments()).toEqual([]);
  });

  it('tells what the user agent says', async () => {
    await spoolOpens(1, 1);
    const { drain, recorded } = startTestDrain(() => undefined);
    await expect.poll(() => recorded.length).toBe(1);
    expect(recorded[0]).toMatchObject({
      mailingId: MAILING_ID,
      kind: 'open',
      linkOrdinal: 1,
      occurredAt: NOW,
      browser: expect.stringContaining('Firefox 140'),
      platform: expect.stringContaining('Windows'),
      device: 'Desktop',
      userAgent: FIREFOX,
    });
    await drain.finish(1_000);
    await spool.close();
  });

  it('waits for a database that is away, and loses nothing', async () => {
    let away: Error | undefined = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    await spoolOpens(1, 5);
    const { drain, batches, recipients, registry } = startTestDrain(() => away);
    await expect.poll(() => batches.length).toBeGreaterThan(0);
    await spoolOpens(6, 8);
    expect(recipients()).toEqual([]);
    away = undefined;
    await expect.poll(recipients, { timeout: 5_000 }).toEqual(numbers(1, 8));
    expect(await registry.metrics()).toContain('postloop_gateway_events_recorded_total{kind="open"} 8');
    await drain.finish(1_000);
    await spool.close();
  });

  it('puts a refused event aside for a person, and the others through', async () => {
    await spoolOpens(1, 9);
    await spool.append(Buffer.from('{"v":2}'));
    const poison = Object.assign(new Error('value out of range'), { code: '22003' });
    const { drain, recipients } = startTestDrain((event) => (event.recipientId === 4n ? poison : undefined));
    await expect.poll(recipients).toEqual([1, 2, 3, 5, 6, 7, 8, 9]);
    await drain.finish(1_000);
    await spool.close();
    const lines = (await readFile(join(directory, 'rejected.jsonl'), 'utf8')).trim().split('\n');
    const rejected = lines.map((line): unknown => JSON.parse(line));
    expect(rejected).toMatchObject([
      { at: NOW.toISOString(), record: '{"v":2}' },
      { reason: 'value out of range', record: expect.stringContaining('"r":"4"') },
    ]);
    expect(await segments()).toEqual([]);
  });

  it('at the end leaves the rest to the next life when the database is away', async () => {
    await spoolOpens(1, 3);
    const away = Object.assign(new Error('away'), { code: '57P01' });
    const first = startTestDrain(() => away);
    await expect.poll(() => first.batches.length).toBeGreaterThan(0);
    await first.drain.finish(1_000);
    await spool.close();
    spool = await openSpool({ directory, log: silentLog });
    const second = startTestDrain(() => undefined);
    await expect.poll(second.recipients).toEqual([1, 2, 3]);
    await second.drain.finish(1_000);
    await spool.close();
  });

  it('at the end records what is left', async () => {
    await spoolOpens(1, 25);
    const running = signal();
    const released = signal();
    const recorded: number[] = [];
    const insert = async (events: readonly RecordedEvent[]) => {
      running.fire();
      await released.fired;
      recorded.push(...events.map(({ recipientId }) => Number(recipientId)));
    };
    const { drain } = startTestDrain(() => undefined, { insert, batchSize: 10 });
    await running.fired;
    const finished = drain.finish(5_000);
    released.fire();
    await finished;
    expect(recorded).toEqual(numbers(1, 25));
    await spool.close();
  });

  it('at the end does not wait for a database that hangs', async () => {
    await spoolOpens(1, 1);
    const running = signal();
    const insert = () => {
      running.fire();
      return new Promise(() => {});
    };
    const { drain } = startTestDrain(() => undefined, { insert });
    await running.fired;
    await drain.finish(50);
    await spool.close();
    expect(await segments()).toHaveLength(1);
  });
});
