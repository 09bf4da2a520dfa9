import { afterEach, expect, it, vi } from 'vitest';
import { BatchGate } from './batch-gate.js';

afterEach(() => vi.useRealTimers());

it('a gate lets so many batches in, one waits for a place, the others come back one later than the other', async () => {
  vi.useFakeTimers({ now: 1_000 });
  const gate = new BatchGate(2);
  expect([await gate.enter(), await gate.enter()]).toEqual([0, 0]);
  expect(gate.othersWait).toBe(false);
  const waits = gate.enter();
  expect(gate.othersWait).toBe(true);
  expect([await gate.enter(), await gate.enter()]).toEqual([500, 525]);
  gate.leave();
  expect(await waits).toBe(0);
  expect(gate.othersWait).toBe(true);
  vi.setSystemTime(60_000);
  expect(gate.othersWait).toBe(false);
});

it('who waits in vain is sent away, and a place that becomes free later is there for the next', async () => {
  vi.useFakeTimers({ now: 1_000 });
  const gate = new BatchGate(1);
  expect(await gate.enter()).toBe(0);
  const waits = gate.enter();
  vi.advanceTimersByTime(500);
  expect(await waits).toBe(500);
  gate.leave();
  expect(await gate.enter()).toBe(0);
  const next = gate.enter();
  gate.leave();
  expect(await next).toBe(0);
});
