import { expect, it } from 'vitest';
import { BatchGate } from './batch-gate.js';
import { Pace } from './pace.js';

it('grants its rate and no more, whatever is asked', () => {
  let now = 0;
  const pace = new Pace(100, () => now);
  let granted = pace.take(1_000);
  expect(granted).toBe(10);
  for (; now < 1_000; now += 7) granted += pace.take(1_000);
  expect(granted).toBeGreaterThanOrEqual(105);
  expect(granted).toBeLessThanOrEqual(110);
});

it('keeps no more than a tenth of a second for later', () => {
  let now = 0;
  const pace = new Pace(100, () => now);
  now = 3_600_000;
  expect(pace.take(1_000)).toBe(10);
});

it('a slow pace says how long the next one takes, and takes back what was not used', () => {
  let now = 0;
  const pace = new Pace(0.5, () => now);
  expect(pace.take(5)).toBe(1);
  expect(pace.waitMs()).toBe(2_000);
  now = 2_000;
  expect(pace.take(5)).toBe(1);
  expect(pace.take(5)).toBe(0);
  pace.giveBack(1);
  expect(pace.take(5)).toBe(1);
});

it('a gate lets so many batches in and sends the others away, one later than the other', () => {
  let now = 1_000;
  const gate = new BatchGate(2, () => now);
  expect([gate.enter(), gate.enter()]).toEqual([0, 0]);
  expect([gate.enter(), gate.enter(), gate.enter()]).toEqual([500, 525, 550]);
  gate.leave();
  expect(gate.enter()).toBe(0);
  now = 60_000;
  expect(gate.enter()).toBe(500);
});
