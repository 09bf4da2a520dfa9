import { expect, it } from 'vitest';
import { RepeatFilter } from './repeat-filter.js';

function linesOf(addresses: readonly string[]): readonly number[] | undefined {
  const filter = new RepeatFilter();
  for (const [at, address] of addresses.entries()) {
    const bytes = Buffer.from(`<${address}>`);
    filter.add(bytes, 1, bytes.length - 1, at + 1);
  }
  return filter.lines;
}

it.each([
  ['as it stands', 'ada@x.example', 'ada@x.example'],
  ['in another case', 'Ada@X.example', 'aDA@x.EXAMPLE'],
])('finds an address that stood before %s', (_how, first, second) => {
  expect(linesOf([first, 'eve@x.example', second])).toEqual([3]);
});

it('finds nearly nothing else among a million rows', () => {
  const addresses = Array.from(
    { length: 1_000_000 },
    (_, row) => `${Math.imul(row, 0x9e3779b1) >>> 0}@mail${row % 50}.example`,
  );
  expect(linesOf(addresses)?.length).toBeLessThan(5);
});

it('names no lines when they are too many', () => {
  expect(linesOf(Array.from({ length: 100_002 }, () => 'ada@x.example'))).toBeUndefined();
});
