import { expect, it } from 'vitest';
import { facts, printable, table, toJson } from './format.js';

it('IDs beyond 2^53 are decimal strings in JSON', () => {
  expect(toJson({ id: 9_007_199_254_740_993n, at: new Date(0) })).toBe(
    '{"id":"9007199254740993","at":"1970-01-01T00:00:00.000Z"}',
  );
});

it('columns stand below their names, numbers to the right', () => {
  const text = table(
    ['name', 'rows'],
    [
      ['a', 5n],
      ['longer', 1_000n],
    ],
  );
  expect(text).toBe('name    rows\na          5\nlonger  1000\n');
});

it('nothing to list is said in words', () => {
  expect(table(['name'], [], 'no clients')).toBe('no clients\n');
});

it('what comes from outside cannot steer the terminal', () => {
  expect(printable('\u001b]52;c;eA==\u0007\nnews\u202e')).toBe('\uFFFD]52;c;eA==\uFFFD\uFFFDnews\uFFFD');
  expect(table(['file'], [['a\u001b[2Jb']])).not.toContain('\u001b');
  expect(facts([['file', 'a\rb']])).toBe('file  a\uFFFDb\n');
});
