import { expect, it } from 'vitest';
import { networkOf } from './network-of.js';
import { RateLimit } from './rate-limit.js';

it('lets a minute through at once, and then as many as come back with time', () => {
  let now = 0;
  const rate = new RateLimit(60, () => now);
  const passed = () => Array.from({ length: 100 }, () => rate.take('192.0.2.1')).filter(Boolean).length;
  expect(passed()).toBe(60);
  now = 5_000;
  expect(passed()).toBe(5);
  now = 3_600_000;
  expect(passed()).toBe(60);
  expect(rate.take('192.0.2.2')).toBe(true);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
])('%s is counted as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
