import { type Draw, drawFromLimits } from '@postloop/db';
import { openTestDatabase } from '@postloop/db/testing';
import { expect, it, vi } from 'vitest';
import { parseDomainLimits } from './domain-limits.js';
import { LimitBook } from './limit-book.js';
import { type DrawLimits, Limits } from './limits.js';

const NONE = { mailsPerSecond: null, connections: null };

it('a mail counts in the limits of its transport, its client and its domain', () => {
  const set = vi.fn();
  const domains = parseDomainLimits('{"Big.example": {"mailsPerSecond": 20}, "*.isp.example": {"connections": 2}}');
  const book = new LimitBook({ set }, domains);
  const fast = book.of({ name: 'default', mailsPerSecond: undefined }, { clientId: 5n, sending: NONE });
  expect(fast('ada@elsewhere.example')).toEqual([]);
  expect(fast('ada@BIG.example')).toEqual(['domain:big.example']);
  expect(fast('ada@sub.big.example')).toEqual([]);
  expect(fast('ada@mail.isp.example')).toEqual(['domain:*.isp.example']);
  const slow = book.of({ name: 'relay', mailsPerSecond: 3 }, { clientId: 5n, sending: { ...NONE, connections: 4 } });
  expect(slow('ada@big.example')).toEqual(['transport:relay', 'client:5', 'domain:big.example']);
  expect(slow('bob@big.example')).toBe(slow('ada@big.example'));
  expect(set.mock.calls.map(([limit]) => limit)).toContainEqual({ scope: 'client:5', mailsPerSecond: null, places: 4 });
});

it.each([
  ['[]', /it: /],
  ['{"a b": {}}', /a b: .*no domain/],
  ['{"x.example": {"perSecond": 1}}', /x\.example: Unrecognized/],
  ['{"x.example": {"mailsPerSecond": 0}}', /x\.example\.mailsPerSecond: /],
])('domain limits %s are refused', (text, problem) => {
  expect(() => parseDomainLimits(text)).toThrow(problem);
});

it('asks for what it has to send, tells what it uses, and waits while the database is away', async () => {
  const asked: Draw[][] = [];
  let away = true;
  const draw: DrawLimits = async (draws) => {
    asked.push([...draws]);
    if (away) {
      away = false;
      throw new Error('away');
    }
    return draws.map(({ scope, permits }) => ({ scope, permits, places: 2 }));
  };
  const warn = vi.fn();
  await using limits = new Limits(draw, 30_000, { warn });
  limits.set({ scope: 'client:1', mailsPerSecond: 50, places: 2 });
  const take = () =>
    new Promise<number>((resolve) => {
      const granted = limits.take(['client:1'], 5);
      if (granted > 0) return resolve(granted);
      limits.onMore(() => {
        const more = limits.take(['client:1'], 5);
        if (more > 0) resolve(more);
      });
    });
  expect(await take()).toBe(2);
  expect(warn).toHaveBeenCalledOnce();
  expect(asked.at(-1)).toEqual([{ scope: 'client:1', mailsPerSecond: 50, places: 2, permits: 5, inUse: 0, wanted: 5 }]);
});

const silent = { warn: () => undefined };

/** Asks until something is granted, whenever there may be more. */
function untilTaken(limits: Limits, scopes: string[], wanted: number): Promise<number> {
  return new Promise((resolve) => {
    let granted = 0;
    const ask = () => {
      if (granted > 0) return;
      granted = limits.take(scopes, wanted);
      if (granted > 0) resolve(granted);
    };
    limits.onMore(ask);
    ask();
  });
}

it('permits are drawn at once although places are kept for long', async () => {
  const draw: DrawLimits = async (draws) =>
    draws.map(({ scope, permits }) => ({ scope, permits: Math.min(permits, 1), places: 9 }));
  await using limits = new Limits(draw, 3_600_000, silent);
  limits.set({ scope: 'domain:x', mailsPerSecond: 20, places: 9 });
  expect(await untilTaken(limits, ['domain:x'], 1)).toBe(1);
  expect(await untilTaken(limits, ['domain:x'], 1)).toBe(1);
  // Two are in use, so places are to be kept: the next time in twenty minutes. The third does not wait for that.
  expect(await untilTaken(limits, ['domain:x'], 1)).toBe(1);
});

it('while it asks it uses no more than it says', async () => {
  let answer: (places: number) => void = () => undefined;
  const told: number[] = [];
  const draw: DrawLimits = ([one]) =>
    new Promise((resolve) => {
      told.push(one?.inUse ?? 0);
      answer = (places) => resolve([{ scope: 'client:1', permits: 0, places }]);
    });
  await using limits = new Limits(draw, 60, silent);
  limits.set({ scope: 'client:1', mailsPerSecond: null, places: 3 });
  const first = untilTaken(limits, ['client:1'], 1);
  await expect.poll(() => told).toEqual([0]);
  answer(3);
  expect(await first).toBe(1);
  // One of three is in use when it asks again, to keep its places: the other two may be given away meanwhile.
  await expect.poll(() => told).toEqual([0, 1]);
  expect(limits.take(['client:1'], 1)).toBe(0);
  answer(1);
});

it('places are used no longer than they are leased', async () => {
  let now = 0;
  const draw: DrawLimits = async (draws) => draws.map(({ scope }) => ({ scope, permits: 0, places: 3 }));
  await using limits = new Limits(draw, 15_000, silent, () => now);
  limits.set({ scope: 'client:1', mailsPerSecond: null, places: 3 });
  expect(await untilTaken(limits, ['client:1'], 1)).toBe(1);
  // As after SIGSTOP: nobody asked meanwhile, and others have what was lost.
  now = 15_000;
  expect(limits.isOver(['client:1'])).toBe(true);
  expect(limits.take(['client:1'], 1)).toBe(0);
});

it('places that are not used any more are given back', async () => {
  const wanted: number[] = [];
  const draw: DrawLimits = async (draws) =>
    draws.map((one) => {
      wanted.push(one.wanted);
      return { scope: one.scope, permits: 0, places: Math.min(3, one.wanted) };
    });
  await using limits = new Limits(draw, 30, silent);
  limits.set({ scope: 'client:1', mailsPerSecond: null, places: 3 });
  await untilTaken(limits, ['client:1'], 3);
  for (let i = 0; i < 3; i += 1) limits.leave(['client:1']);
  await expect.poll(() => wanted.at(-1)).toBe(0);
});

it('what counts in two limits gets through although they have something at different times', async () => {
  let round = 0;
  const draw: DrawLimits = async (draws) => {
    round += 1;
    return draws.map(({ scope, wanted }) => ({
      scope,
      permits: 0,
      places: Math.min(wanted, scope === 'domain:x' && round === 1 ? 0 : 1),
    }));
  };
  await using limits = new Limits(draw, 3_600_000, silent);
  for (const scope of ['client:1', 'domain:x']) limits.set({ scope, mailsPerSecond: null, places: 1 });
  expect(await untilTaken(limits, ['client:1', 'domain:x'], 1)).toBe(1);
});

it('two workers of which each has what the other needs do not wait for each other for ever', async () => {
  await using database = await openTestDatabase();
  const rounds: string[] = [];
  const worker = (name: string) => {
    const draw: DrawLimits = async (draws) => {
      const drawn = await drawFromLimits(database.db.pool, name, draws, { now: new Date(), leaseMs: 3_600_000 });
      rounds.push(name);
      return drawn;
    };
    const limits = new Limits(draw, 3_600_000, silent);
    for (const scope of ['client:1', 'domain:x']) limits.set({ scope, mailsPerSecond: null, places: 1 });
    return limits;
  };
  const both = ['client:1', 'domain:x'];
  const [A, B] = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'];
  await using one = worker(A);
  await using other = worker(B);
  expect(await untilTaken(one, ['client:1'], 1)).toBe(1);
  const others = untilTaken(other, both, 1);
  await expect.poll(() => rounds).toContain(B);
  // The other could have the domain now; the next mail of this one is to go there, too.
  const ones = untilTaken(one, both, 1);
  one.leave(['client:1']);
  await Promise.race([ones.then(() => one.leave(both)), others.then(() => other.leave(both))]);
  expect(await Promise.all([ones, others])).toEqual([1, 1]);
});
