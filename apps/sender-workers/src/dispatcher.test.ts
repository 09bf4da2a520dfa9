import type { Attempt } from '@postloop/db';
import { expect, it } from 'vitest';
import { type Departure, Dispatcher, type TakeOff } from './dispatcher.js';
import { Pace } from './pace.js';

const attempt = (recipientId: bigint, attemptId = 1n): Attempt => ({
  mailingId: 1n,
  batch: 0,
  attemptId,
  recipientId,
  email: `r${recipientId}@x.example`,
});

function departure(recipientId: bigint, verdicts: string[] = [], attemptId = 1n): Departure<null> {
  return {
    attempt: attempt(recipientId, attemptId),
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

it('takes off no faster than its pace, and what did not take off costs no permit', async () => {
  const groups: number[] = [];
  const takeOff: TakeOff = async (attempts) => {
    groups.push(attempts.length);
    return allInFlight(attempts.filter(({ recipientId }) => recipientId !== 1n));
  };
  const dispatcher = new Dispatcher<null>(takeOff, new Pace(20));
  dispatcher.add([1n, 2n, 3n, 4n].map((id) => departure(id)));
  const from = performance.now();
  const mails = await Promise.all([dispatcher.next(), dispatcher.next(), dispatcher.next()]);
  // Two at once, the third a twentieth of a second later.
  expect(performance.now() - from).toBeGreaterThan(40);
  expect(mails.map((one) => one?.attempt.recipientId)).toEqual([2n, 3n, 4n]);
  expect(Math.max(...groups)).toBe(2);
});
