import type { Attempt } from '@postloop/db';
import { expect, it } from 'vitest';
import { type Departure, Dispatcher, type TakeOff } from './dispatcher.js';
import { type DrawLimits, Limits } from './limits.js';

const attempt = (recipientId: bigint, attemptId = 1n): Attempt => ({
  mailingId: 1n,
  batch: 0,
  attemptId,
  recipientId,
  email: `r${recipientId}@x.example`,
});

function departure(
  recipientId: bigint,
  verdicts: string[] = [],
  attemptId = 1n,
  scopes: string[] = [],
): Departure<null> {
  return {
    attempt: attempt(recipientId, attemptId),
    scopes,
    load: null,
    cleared: (verdict) => verdicts.push(`${recipientId} ${verdict}`),
    failed: (error) => verdicts.push(`${recipientId} ${String(error)}`),
  };
}

const allInFlight: TakeOff = async (attempts) => new Map(attempts.map(({ recipientId }) => [recipientId, 'in_flight']));

it('takes off no more than there are free places, and those that ask meanwhile share the next commit', async () => {
  const groups: number[] = [];
  const gates: (() => void)[] = [];
  const dispatcher = new Dispatcher<null>(async (attempts) => {
    groups.push(attempts.length);
    await new Promise<void>((resolve) => gates.push(resolve));
    return allInFlight(attempts);
  });
  dispatcher.add([1n, 2n, 3n, 4n, 5n].map((id) => departure(id)));
  const first = dispatcher.next();
  const others = [dispatcher.next(), dispatcher.next(), dispatcher.next()];
  gates[0]?.();
  expect((await first)?.attempt.recipientId).toBe(1n);
  gates[1]?.();
  expect((await Promise.all(others)).map((one) => one?.attempt.recipientId)).toEqual([2n, 3n, 4n]);
  expect(groups).toEqual([1, 3]);
});

it('a recipient that is refused or suppressed leaves its place to the next', async () => {
  const verdicts: string[] = [];
  const dispatcher = new Dispatcher<null>(
    async (attempts) =>
      new Map(
        attempts.flatMap(({ recipientId }) =>
          recipientId === 1n ? [] : [[recipientId, recipientId === 2n ? 'suppressed' : 'in_flight'] as const],
        ),
      ),
  );
  dispatcher.add([1n, 2n, 3n].map((id) => departure(id, verdicts)));
  expect((await dispatcher.next())?.attempt.recipientId).toBe(3n);
  expect(verdicts).toEqual(['1 refused', '2 suppressed', '3 in_flight']);
});

it('what was not asked for can be taken back; what is in flight cannot', async () => {
  const verdicts: string[] = [];
  const dispatcher = new Dispatcher<null>(allInFlight);
  dispatcher.add([departure(1n, verdicts), departure(2n, verdicts), departure(3n, verdicts, 2n)]);
  await dispatcher.next();
  dispatcher.withdraw(({ attempt: { attemptId } }) => attemptId === 1n);
  expect(verdicts).toEqual(['1 in_flight', '2 withdrawn']);
  expect((await dispatcher.next())?.attempt.recipientId).toBe(3n);
});

it('a commit that fails is told to those who were to take off, and the places stay free', async () => {
  const verdicts: string[] = [];
  let broken = true;
  const dispatcher = new Dispatcher<null>(async (attempts) => {
    if (broken) throw new Error('database away');
    return allInFlight(attempts);
  });
  dispatcher.add([departure(1n, verdicts)]);
  const place = dispatcher.next();
  await expect.poll(() => verdicts).toEqual(['1 Error: database away']);
  broken = false;
  dispatcher.add([departure(2n, verdicts)]);
  expect((await place)?.attempt.recipientId).toBe(2n);
});

it('a place whose connection is gone leaves, and takes no mail; one without a connection hears when there is work', async () => {
  const dispatcher = new Dispatcher<null>(allInFlight);
  let isOpen = true;
  const idle = dispatcher.next(() => isOpen);
  isOpen = false;
  dispatcher.recheck();
  expect(await idle).toBeUndefined();

  const work = dispatcher.work();
  dispatcher.add([departure(1n)]);
  expect(await work).toBe(true);
  expect((await dispatcher.next())?.attempt.recipientId).toBe(1n);
  const none = dispatcher.work();
  dispatcher.close();
  expect(await none).toBe(false);
});

it('a place that a take-off counts on takes its mail all the same: nothing in flight is forgotten', async () => {
  let commit: () => void = () => undefined;
  const dispatcher = new Dispatcher<null>(async (attempts) => {
    await new Promise<void>((resolve) => {
      commit = resolve;
    });
    return allInFlight(attempts);
  });
  dispatcher.add([departure(1n)]);
  let isOpen = true;
  const place = dispatcher.next(() => isOpen);
  isOpen = false;
  dispatcher.recheck();
  commit();
  expect((await place)?.attempt.recipientId).toBe(1n);
});

const quiet = { warn: () => undefined };

/** Grants so many permits a draw, as many places as there are. */
function limited(scope: string, permits: number[], places: number | null = null): Limits {
  const draw: DrawLimits = async (draws) =>
    draws.map((one) => ({
      scope: one.scope,
      permits: Math.min(one.permits, one.scope === scope ? (permits.shift() ?? 0) : 1_000),
      places: one.places ?? 0,
    }));
  const limits = new Limits(draw, 10_000, quiet);
  limits.set({ scope, mailsPerSecond: permits.length > 0 ? 1 : null, places });
  return limits;
}

it('takes off as permits come in; what did not take off costs none', async () => {
  const groups: number[] = [];
  const takeOff: TakeOff = async (attempts) => {
    groups.push(attempts.length);
    return allInFlight(attempts.filter(({ recipientId }) => recipientId !== 1n));
  };
  const dispatcher = new Dispatcher<null>(takeOff, limited('client:1', [2, 1, 1]));
  dispatcher.add([1n, 2n, 3n, 4n].map((id) => departure(id, [], 1n, ['client:1'])));
  const mails = await Promise.all([dispatcher.next(), dispatcher.next(), dispatcher.next()]);
  expect(mails.map((one) => one?.attempt.recipientId)).toEqual([2n, 3n, 4n]);
  expect(groups).toEqual([2, 1, 1]);
});

it('what waits for a permit holds up nothing else', async () => {
  const dispatcher = new Dispatcher<null>(allInFlight, limited('domain:slow.example', [0, 0]));
  dispatcher.add([1n, 2n, 3n].map((id) => departure(id, [], 1n, ['domain:slow.example'])));
  dispatcher.add([4n, 5n].map((id) => departure(id)));
  const mails = await Promise.all([dispatcher.next(), dispatcher.next()]);
  expect(mails.map((one) => one?.attempt.recipientId)).toEqual([4n, 5n]);
  void dispatcher.next();
  expect(dispatcher.heldBack).toBe(true);
});

it('no more at a time than there are places, and the next one when one has landed', async () => {
  const dispatcher = new Dispatcher<null>(allInFlight, limited('client:1', [], 2));
  dispatcher.add([1n, 2n, 3n].map((id) => departure(id, [], 1n, ['client:1'])));
  const [first] = await Promise.all([dispatcher.next(), dispatcher.next()]);
  let third: Departure<null> | undefined;
  const next = dispatcher.next().then((one) => {
    third = one;
  });
  await new Promise(setImmediate);
  expect(third).toBeUndefined();
  if (first) dispatcher.landed(first);
  await next;
  expect(third).toBeDefined();
});
