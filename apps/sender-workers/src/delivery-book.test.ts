import type { Attempt, Settlement, TakenOff } from '@postloop/db';
import { expect, test } from 'vitest';
import { DeliveryBook } from './delivery-book.js';
import { Dispatcher } from './dispatcher.js';

const quiet = { warn: () => undefined };

const attemptOf = (recipientId: bigint): Attempt => ({
  mailingId: 1n,
  batch: 0,
  attemptId: 1n,
  recipientId,
  email: `r${recipientId}@x.example`,
});

const sent = ({ mailingId, recipientId, attemptId }: Attempt): Settlement => ({
  ...{ mailingId, recipientId, attemptId, status: 'sent', smtpCode: 250 },
  ...{ reason: null, retryInMs: null, response: null },
});

/** A database that answers when it is told to, and knows what is in flight. */
function database() {
  const inFlight = new Set<bigint>();
  const writes: { answers: number; takeOffs: number }[] = [];
  let most = 0;
  let broken = false;
  const write = async (settlements: readonly Settlement[], attempts: readonly Attempt[]): Promise<TakenOff> => {
    writes.push({ answers: settlements.length, takeOffs: attempts.length });
    await new Promise(setImmediate);
    if (broken) throw new Error('the database is away');
    for (const { recipientId } of settlements) inFlight.delete(recipientId);
    for (const { recipientId } of attempts) inFlight.add(recipientId);
    most = Math.max(most, inFlight.size);
    return new Map(attempts.map(({ recipientId }) => [recipientId, 'in_flight'] as const));
  };
  return {
    ...{ write, writes, inFlight },
    most: () => most,
    fail: (is: boolean) => {
      broken = is;
    },
  };
}

test('an answer is recorded by the commit that takes the next mail off: no more is in flight than places hold', async () => {
  const { write, writes, inFlight, most } = database();
  const book = new DeliveryBook(write, quiet);
  const dispatcher = new Dispatcher<null>((attempts) => book.takeOff(attempts));
  const mails = Array.from({ length: 40 }, (_, i) => BigInt(i + 1));
  dispatcher.add(
    mails.map((id) => ({
      ...{ attempt: attemptOf(id), scopes: [], load: null },
      cleared: () => undefined,
      failed: (error) => expect.unreachable(String(error)),
    })),
  );
  let answers = 0;
  const place = async () => {
    let recorded = Promise.resolve();
    for (;;) {
      const departure = await dispatcher.next();
      if (!departure) break;
      answers += 1;
      recorded = book.record(sent(departure.attempt));
      if (answers === mails.length) dispatcher.close();
    }
    await recorded;
  };
  await Promise.all([place(), place(), place(), place()]);
  expect(answers).toBe(mails.length);
  expect(inFlight.size).toBe(0);
  expect(most()).toBeLessThanOrEqual(4);
  const both = writes.filter((one) => one.answers > 0 && one.takeOffs > 0);
  expect(both.length).toBeGreaterThan(writes.length / 2);
});

test('while the database is away answers are kept, and what was to take off stays here', async () => {
  const { write, inFlight, fail } = database();
  const book = new DeliveryBook(write, quiet);
  await book.takeOff([attemptOf(1n)]);
  fail(true);
  const recorded = book.record(sent(attemptOf(1n)));
  await expect(book.takeOff([attemptOf(2n)])).rejects.toThrow('away');
  expect([...inFlight]).toEqual([1n]);
  fail(false);
  await recorded;
  expect(inFlight.size).toBe(0);
  await book.takeOff([attemptOf(3n)]);
  expect([...inFlight]).toEqual([3n]);
});
