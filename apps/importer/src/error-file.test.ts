import { readRows } from '@postloop/csv-dialect';
import { expect, it } from 'vitest';
import { errorCsv, errorJson } from './error-file.js';

const fault = (rawRow: string | null, message = 'bad.') =>
  ({ line: 2, column: 1, code: 'bad_value', message, remedy: 'Correct it.', rawRow }) as const;

async function valuesOf(rawRow: string | null): Promise<(string | null)[] | undefined> {
  const bytes = errorCsv([fault(rawRow)]);
  const rows = [];
  for await (const { values } of readRows(
    (async function* () {
      yield bytes;
    })(),
  ))
    rows.push(values);
  expect(rows[0]).toEqual(['line', 'column', 'code', 'message', 'raw row', 'remedy']);
  expect(rows).toHaveLength(2);
  return rows[1];
}

it.each([
  ['quotes, separators, line breaks', 'a;"b;""c"";\nd"', 'a;"b;""c"";\nd"'],
  ['a formula', '=HYPERLINK("http://x.example");1', '\'=HYPERLINK("http://x.example");1'],
  ['a formula that begins with @', '@SUM(A1)', "'@SUM(A1)"],
  ['a telephone number', '+49 30 1', "'+49 30 1"],
  ['an escape sequence of a terminal', 'a\u001b[2Jb;\u009b', 'a\ufffd[2Jb;\ufffd'],
  ['a bare carriage return', 'a\rb', 'a\ufffdb'],
])('%s in a row stay one harmless value', async (_what, rawRow, told) => {
  expect(await valuesOf(rawRow)).toEqual(['2', '1', 'bad_value', 'bad.', told, 'Correct it.']);
});

it('a fault without a row has none', async () => expect((await valuesOf(null))?.[4]).toBeNull());

it('the JSON twin has the row as it came', () => {
  const row = '=1+1;"\u001b\u0000\u2028</script>';
  const file = JSON.parse(
    errorJson({ id: 9_007_199_254_740_993n, directory: 'import', fileName: 'a.csv' }, [fault(row)]).toString(),
  );
  expect(file).toEqual({
    importId: '9007199254740993',
    directory: 'import',
    fileName: 'a.csv',
    faults: [{ line: 2, column: 1, code: 'bad_value', message: 'bad.', rawRow: row, remedy: 'Correct it.' }],
  });
});
