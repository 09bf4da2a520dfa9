import { expect, test } from 'vitest';
import { selectOne } from './sql.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();

test.each([
  ['none', []],
  ['an empty one', ['']],
  ['NULL and the word', [null, 'NULL', 'null', null]],
  ['quotes, backslashes, braces, commas', ['"', '\\', '\\"', 'a"b\\c', '{', '}', ',', 'a,b', '\\\\', '"",""', '\\']],
  ['blanks and line ends', [' ', 'a b', ' a', 'a\r\nb', '\t', '\n']],
  ['other scripts', ['Zoë', '日本', '😀', 'ß,"ß']],
])('the fields of a recipient come back as they were: %s', async (_what, fields) => {
  const row = await selectOne<{ fields: (string | null)[] }>(db.pool, 'SELECT $1::text[] AS fields', [fields]);
  expect(row.fields).toEqual(fields);
});
