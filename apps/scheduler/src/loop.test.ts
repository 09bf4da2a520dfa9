import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { startLoop } from './loop.js';

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

test('a round that fails is logged and the next one comes; a stop waits for the round that runs', async () => {
  const log = { warn: vi.fn() };
  const secondRound = withResolvers();
  const mayEnd = withResolvers();
  let rounds = 0;
  let ended = false;
  const job = async () => {
    rounds += 1;
    if (rounds === 1) throw new Error('the database is away');
    secondRound.resolve();
    await mayEnd.promise;
    ended = true;
  };
  const loop = startLoop({ name: 'test', everyMs: 1, job, log });

  await secondRound.promise;
  expect(log.warn).toHaveBeenCalledExactlyOnceWith({ loop: 'test', error: 'the database is away' }, 'round failed');
  let stopped = false;
  const stopping = loop[Symbol.asyncDispose]().then(() => {
    stopped = true;
  });
  await nextTurn();
  expect(stopped).toBe(false);
  mayEnd.resolve();
  await stopping;
  expect(ended).toBe(true);
  expect(rounds).toBe(2);
});
