import { describe, expect, it } from 'vitest';
import { formatSendTime, nextSendTime, parseSendTime } from './index.js';

const next = (rule: string, after: string): string => {
  const time = parseSendTime(rule);
  if (!time) throw new Error(`${rule} cannot be read`);
  return nextSendTime(time, new Date(after)).toISOString();
};

describe('a send time', () => {
  it.each([
    ['09:00 Europe/Berlin', '09:00 Europe/Berlin'],
    ['at 23:59 UTC', '23:59 UTC'],
    ['00:00 America/Argentina/Buenos_Aires', '00:00 America/Argentina/Buenos_Aires'],
  ])('%s is read', (text, stored) => {
    const time = parseSendTime(text);
    expect(time && formatSendTime(time)).toBe(stored);
  });

  it.each([
    '09:00',
    '9:00 UTC',
    '24:00 UTC',
    '09:60 UTC',
    '09:00 Europe/Nowhere',
    '09:00 CET',
    '09:00 +01:00',
    'noon UTC',
  ])('%s is refused', (text) => {
    expect(parseSendTime(text)).toBeUndefined();
  });
});

describe('the next such time', () => {
  it.each([
    ['later today', '09:00 Europe/Berlin', '2026-11-30T07:59:59Z', '2026-11-30T08:00:00.000Z'],
    ['at that very moment', '09:00 Europe/Berlin', '2026-11-30T08:00:00Z', '2026-11-30T08:00:00.000Z'],
    ['tomorrow, when it is over', '09:00 Europe/Berlin', '2026-11-30T08:00:01Z', '2026-12-01T08:00:00.000Z'],
    ['by the day of the zone', '09:00 Pacific/Auckland', '2026-06-10T23:00:00Z', '2026-06-11T21:00:00.000Z'],
    ['by the day of a zone behind', '20:00 America/Los_Angeles', '2026-06-10T02:00:00Z', '2026-06-10T03:00:00.000Z'],
    [
      'over the night when clocks go forward',
      '09:00 Europe/Berlin',
      '2026-03-28T12:00:00Z',
      '2026-03-29T07:00:00.000Z',
    ],
    ['over the night when clocks go back', '09:00 Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T08:00:00.000Z'],
    ['skipped by the clocks: an hour later', '02:30 Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:30:00.000Z'],
    ['there twice: the first', '02:30 Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['between the two: the next day', '02:30 Europe/Berlin', '2026-10-25T00:45:00Z', '2026-10-26T01:30:00.000Z'],
    ['at midnight that does not exist', '00:00 America/Santiago', '2026-09-05T12:00:00Z', '2026-09-06T04:00:00.000Z'],
    ['on the day after the skipped one', '02:30 Europe/Berlin', '2026-03-29T01:31:00Z', '2026-03-30T00:30:00.000Z'],
  ])('%s', (_what, rule, after, expected) => {
    expect(next(rule, after)).toBe(expected);
  });
});
