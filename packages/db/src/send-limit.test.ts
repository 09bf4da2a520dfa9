import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Draw, drawFromLimits, releasePlaces } from './send-limit.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(() => db.pool.query('TRUNCATE send_quota, send_place'));

const [ONE, TWO] = [randomUUID(), randomUUID()] as const;
const START = Date.UTC(2026, 0, 1);
const LEASE_MS = 10_000;

async function draw(
  worker: string,
  afterMs: number,
  wish: Partial<Draw>,
): Promise<{ permits: number; places: number }> {
  const all = {
    scope: 'domain:x.example',
    mailsPerSecond: null,
    places: null,
    permits: 0,
    inUse: 0,
    wanted: 0,
    ...wish,
  };
  const [drawn] = await drawFromLimits(db.pool, worker, [all], { now: new Date(START + afterMs), leaseMs: LEASE_MS });
  if (!drawn) throw new Error('nothing came back');
  return drawn;
}

describe('mails per second', () => {
  it('whoever draws, all together get the rate and no more', async () => {
    const total = { [ONE]: 0, [TWO]: 0 };
    for (let ms = 0; ms <= 10_000; ms += 50)
      for (const worker of [ONE, TWO])
        total[worker] = (total[worker] ?? 0) + (await draw(worker, ms, { mailsPerSecond: 20, permits: 5 })).permits;
    const sum = (total[ONE] ?? 0) + (total[TWO] ?? 0);
    expect(sum).toBeLessThanOrEqual(20 * 10 + 2);
    expect(sum).toBeGreaterThanOrEqual(20 * 10 - 2);
  });

  it('a pause is not made up for', async () => {
    await draw(ONE, 0, { mailsPerSecond: 100, permits: 1_000 });
    expect((await draw(ONE, 60_000, { mailsPerSecond: 100, permits: 1_000 })).permits).toBe(10);
  });

  it('a slow rate comes one by one, and a clock that goes back gives nothing', async () => {
    const slow = { mailsPerSecond: 0.5, permits: 5 };
    expect((await draw(ONE, 0, slow)).permits).toBe(1);
    expect((await draw(ONE, 1_000, slow)).permits).toBe(0);
    expect((await draw(ONE, 2_000, slow)).permits).toBe(1);
    expect((await draw(TWO, -60_000, slow)).permits).toBe(0);
    expect((await draw(ONE, 4_000, slow)).permits).toBe(1);
  });

  it('drawn at the same moment by many connections, nothing is granted twice', async () => {
    const wish = { mailsPerSecond: 100, permits: 3 };
    const drawn = await Promise.all(Array.from({ length: 20 }, (_, i) => draw(i % 2 ? ONE : TWO, 0, wish)));
    expect(drawn.reduce((sum, { permits }) => sum + permits, 0)).toBe(10);
  });
});

describe('places', () => {
  it('one worker may have all; a second that comes gets its share as they become free', async () => {
    expect((await draw(ONE, 0, { places: 4, wanted: 10 })).places).toBe(4);
    expect((await draw(TWO, 1, { places: 4, wanted: 10 })).places).toBe(0);
    expect((await draw(ONE, 2, { places: 4, wanted: 10, inUse: 4 })).places).toBe(2);
    expect((await draw(TWO, 3, { places: 4, wanted: 10 })).places).toBe(0);
    expect((await draw(ONE, 4, { places: 4, wanted: 10, inUse: 2 })).places).toBe(2);
    expect((await draw(TWO, 5, { places: 4, wanted: 10 })).places).toBe(2);
    expect((await draw(ONE, 6, { places: 4, wanted: 10, inUse: 2 })).places).toBe(2);
  });

  it('what one does not want the other may have', async () => {
    await draw(ONE, 0, { places: 4, wanted: 1 });
    expect((await draw(TWO, 1, { places: 4, wanted: 10 })).places).toBe(3);
  });

  it('those of a worker that fell silent are free when its lease is over, of one that ends at once', async () => {
    await draw(ONE, 0, { places: 4, wanted: 4 });
    expect((await draw(TWO, LEASE_MS, { places: 4, wanted: 4 })).places).toBe(0);
    expect((await draw(TWO, LEASE_MS + 1, { places: 4, wanted: 4 })).places).toBe(4);
    await releasePlaces(db.pool, TWO);
    expect((await draw(ONE, LEASE_MS + 2, { places: 4, wanted: 4 })).places).toBe(4);
  });
});
