import { expect, it } from 'vitest';
import { isRecipientFileName } from './file-name.js';

it.each(['20261121093000_subscribers.csv', '20240229235959_subscribers.csv'])('%s is a recipient file', (name) =>
  expect(isRecipientFileName(name)).toBe(true),
);

it.each([
  ['a day that does not exist', '20260231000000_subscribers.csv'],
  ['29 February in a common year', '20250229000000_subscribers.csv'],
  ['an hour that does not exist', '20261121240000_subscribers.csv'],
  ['in transit', '20261121093000_subscribers.csv.tmp'],
  ['in transit', '.20261121093000_subscribers.csv.part'],
  ['another name', '20261121093000_products.csv'],
  ['no time', 'subscribers.csv'],
  ['a path', '../20261121093000_subscribers.csv'],
])('%s: %s is not', (_why, name) => expect(isRecipientFileName(name)).toBe(false));
