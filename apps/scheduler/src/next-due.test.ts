import { describe, expect, test } from 'vitest';
import { nextDue } from './next-due.js';

const after = (cron: string, zone: string, from: string) => nextDue(cron, zone, new Date(from)).toISOString();

describe('nextDue', () => {
  test.each([
    ['every ten minutes', '*/10 * * * *', 'UTC', '2026-07-01T10:03:00Z', '2026-07-01T10:10:00.000Z'],
    ['strictly later', '*/10 * * * *', 'UTC', '2026-07-01T10:10:00Z', '2026-07-01T10:20:00.000Z'],
    ['09:00 in Berlin in summer', '0 9 * * *', 'Europe/Berlin', '2026-10-24T06:00:00Z', '2026-10-24T07:00:00.000Z'],
    [
      '09:00 in Berlin on the day the clocks go back',
      '0 9 * * *',
      'Europe/Berlin',
      '2026-10-24T07:00:00Z',
      '2026-10-25T08:00:00.000Z',
    ],
    [
      '09:00 in Berlin on the day the clocks go forward',
      '0 9 * * *',
      'Europe/Berlin',
      '2026-03-28T08:00:00Z',
      '2026-03-29T07:00:00.000Z',
    ],
    [
      'the hour that comes twice counts once',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00.000Z',
    ],
    [
      'the hour that is left out is made up for',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T01:30:00Z',
      '2026-03-29T01:30:00.000Z',
    ],
    ['another side of the world', '0 0 * * *', 'Pacific/Auckland', '2026-07-01T10:00:00Z', '2026-07-01T12:00:00.000Z'],
    ['missed times are not made up one by one', '0 * * * *', 'UTC', '2026-07-09T10:30:00Z', '2026-07-09T11:00:00.000Z'],
  ])('%s', (_, cron, zone, from, expected) => {
    expect(after(cron, zone, from)).toBe(expected);
  });

  test.each([
    ['words', 'every morning', 'UTC'],
    ['empty', '', 'UTC'],
    ['too few fields', '0 9', 'UTC'],
    ['too many fields', '0 0 9 * * * *', 'UTC'],
    ['an hour that is none', '0 25 * * *', 'UTC'],
    ['a day that never comes', '0 0 30 2 *', 'UTC'],
    ['an unknown zone', '0 9 * * *', 'Europe/Atlantis'],
  ])('refuses %s', (_, cron, zone) => {
    expect(() => after(cron, zone, '2026-07-01T10:00:00Z')).toThrow();
  });
});
