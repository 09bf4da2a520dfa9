import { expect, it } from 'vitest';
import { RepeatFilter } from './repeat-filter.js';

function linesOf(rows: readonly string[], column = 0): readonly number[] | undefined {
  const filter = new RepeatFilter(column);
  for (const [at, row] of rows.entries()) {
    const bytes = Buffer.from(row);
    filter.add(bytes, 0, bytes.length, at + 1);
  }
  return filter.lines;
}

it.each([
  ['as it stands', 'ada@x.example;1', 'ada@x.example;2'],
  ['in another case', 'Ada@X.example;1', 'aDA@x.EXAMPLE;2'],
  ['with blanks around it', 'ada@x.example;1', ' \u00a0ada@x.example\t\ufeff;2'],
  ['quoted, with a line break', 'ada@x.example;1', '"\nada@x.example\r\n";2'],
  ['in the last column', 'ada@x.example', 'ada@x.example'],
])('finds an address that stood before %s', (_how, first, second) => {
  expect(linesOf([first, 'eve@x.example;1', second])).toEqual([3]);
});

it('reads the column that it is told, whatever stands quoted before it', () => {
  const rows = ['"a;""b;";7;ada@x.example', '"c;";8;ada@x.example', '"d;ada@x.example;";9;eve@x.example'];
  expect(linesOf(rows, 2)).toEqual([2]);
});

it('finds nearly nothing else among many rows', () => {
  const rows = Array.from(
    { length: 200_000 },
    (_, row) => `${Math.imul(row, 0x9e3779b1) >>> 0}@mail${row % 50}.example;x`,
  );
  expect(linesOf(rows)?.length).toBeLessThan(20);
});

it('names no lines when they are too many', () => {
  expect(linesOf(Array.from({ length: 100_002 }, () => 'ada@x.example'))).toBeUndefined();
});
