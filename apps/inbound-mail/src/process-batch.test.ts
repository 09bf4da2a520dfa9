import { EventEmitter, once } from 'node:events';
import { expect, it } from 'vitest';
import { processBatch } from './process-batch.js';

const NEVER_MS = 1_000_000;

/** Steps that keep a list of what they did; a message named `slow` is read when `events` says so. */
function openSteps(patienceMs: number) {
  const did: string[] = [];
  const events = new EventEmitter();
  const steps = {
    read: async (message: string) => {
      if (message === 'slow') await once(events, 'go on');
      return message;
    },
    record: async (read: readonly string[]) => {
      did.push(`recorded ${read}`);
    },
    giveBack: async (messages: readonly string[]) => {
      did.push(`given back ${messages}`);
      events.emit('given back');
    },
    patienceMs,
  };
  return { did, steps, events };
}

it('messages are recorded together', async () => {
  const { did, steps } = openSteps(NEVER_MS);
  await processBatch(['a', 'b', 'c'], steps);
  expect(did).toEqual(['recorded a,b,c']);
});

it('one that takes long holds up neither those before it nor those behind it, and goes on alone', async () => {
  const { did, steps, events } = openSteps(20);
  const givenBack = once(events, 'given back');
  const processed = processBatch(['a', 'b', 'slow', 'c', 'd'], steps);
  await givenBack;
  expect(did).toEqual(['recorded a,b', 'given back c,d']);
  events.emit('go on');
  await processed;
  expect(did.slice(2)).toEqual(['recorded slow']);
});
