import { expect, it } from 'vitest';
import { readSuppressionEntry } from './suppression-entry.js';

it.each([
  [' Ada@X.Example ', { address: 'ada@x.example' }],
  ['*@Competitor.example', { pattern: '*@competitor.example' }],
  ['info?@x.example', { pattern: 'info?@x.example' }],
  ['***@x.**example', { pattern: '*@x.*example' }],
])('reads %j', (text, entry) => {
  expect(readSuppressionEntry(text)).toEqual(entry);
});

it.each(['', 'ada', 'a b@x.example', '*', '*@*', '?*.*', 'a@b@*', `*${'x'.repeat(254)}`, '*ü@x.example'])(
  'refuses %j',
  (text) => {
    expect(readSuppressionEntry(text)).toBeTypeOf('string');
  },
);
