import { describe, expect, it } from 'vitest';
import { inboxFileName, inboxPatterns, isInboxFileName, readInboxOrder } from './inbox-files.js';

const DEFAULT = '{timestamp}_subscribers.csv';

it.each([
  ['20261121093000_subscribers.csv', DEFAULT],
  ['20240229235959_subscribers.csv', DEFAULT],
  ['crm-20261121093000.txt', 'crm-{timestamp}.txt'],
  ['$&20261121093000', '$&{timestamp}'],
])('%s is taken by %s', (name, pattern) => expect(isInboxFileName(pattern, name)).toBe(true));

it.each([
  ['a day that does not exist', '20260231000000_subscribers.csv'],
  ['29 February in a common year', '20250229000000_subscribers.csv'],
  ['an hour that does not exist', '20261121240000_subscribers.csv'],
  ['a leap second', '20161231235960_subscribers.csv'],
  ['the year 0', '00000101000000_subscribers.csv'],
  ['in transit', '20261121093000_subscribers.csv.tmp'],
  ['in transit', '20261121093000_subscribers.csv.part'],
  ['in transit', '20261121093000_subscribers.csv.filepart'],
  ['in transit', '.20261121093000_subscribers.csv'],
  ['another name', '20261121093000_products.csv'],
  ['another case', '20261121093000_Subscribers.csv'],
  ['no time', 'subscribers.csv'],
  ['no time', '_subscribers.csv'],
  ['a path', '../20261121093000_subscribers.csv'],
])('%s: %s is left alone', (_why, name) => expect(isInboxFileName(DEFAULT, name)).toBe(false));

it('a client whose files have other names: the usual ones are foreign', () => {
  const [pattern = ''] = inboxPatterns('import', { name: 'crm_{timestamp}.csv' });
  expect(isInboxFileName(pattern, 'crm_20261121093000.csv')).toBe(true);
  expect(isInboxFileName(pattern, '20261121093000_subscribers.csv')).toBe(false);
});

it('product files have names of their own', () => {
  const patterns = inboxPatterns('products', { name: DEFAULT });
  const isTaken = (name: string) => patterns.some((pattern) => isInboxFileName(pattern, name));
  expect(['20261121093000_products.csv', '20261121093000_recommendations.csv'].every(isTaken)).toBe(true);
  expect(isTaken('20261121093000_subscribers.csv')).toBe(false);
});

it('makes the name that it takes', () => {
  const name = inboxFileName('$&_{timestamp}.csv', new Date('2026-11-21T09:30:05.678Z'));
  expect(name).toBe('$&_20261121093005.csv');
  expect(isInboxFileName('$&_{timestamp}.csv', name)).toBe(true);
});

describe('orders', () => {
  it.each([
    ['20261121120000_subscribers.csv.restart', 'restart'],
    ['20261121120000_subscribers.csv.skip', 'skip'],
  ])('%s', (name, order) =>
    expect(readInboxOrder(name)).toEqual({ order, fileName: '20261121120000_subscribers.csv' }),
  );

  it.each(['20261121120000_subscribers.csv', '.restart', '.x.csv.restart', 'x.csv.restart.part', 'x.csv.RESTART'])(
    '%s is none',
    (name) => expect(readInboxOrder(name)).toBeUndefined(),
  );
});
