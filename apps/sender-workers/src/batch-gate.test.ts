import { expect, it } from 'vitest';
import { BatchGate } from './batch-gate.js';

it('a gate lets so many batches in and sends the others away, one later than the other', () => {
  let now = 1_000;
  const gate = new BatchGate(2, () => now);
  expect([gate.enter(), gate.enter()]).toEqual([0, 0]);
  expect([gate.enter(), gate.enter(), gate.enter()]).toEqual([500, 525, 550]);
  gate.leave();
  expect(gate.enter()).toBe(0);
  expect(gate.othersWait).toBe(true);
  now = 60_000;
  expect(gate.othersWait).toBe(false);
  expect(gate.enter()).toBe(500);
});
