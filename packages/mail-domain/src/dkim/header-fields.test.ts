import { expect, it } from 'vitest';
import { relaxedField, splitMessage } from './header-fields.js';

it.each([
  ['the first example of RFC 6376 3.4.5', 'A: X', 'a:X'],
  ['the second: folded, with white space at both ends of the colon', 'B : Y\t\r\n\tZ  ', 'b:Y Z'],
  ['a value that starts on the next line', 'Subject:\r\n  late', 'subject:late'],
  ['tabs and runs of spaces', 'Subject:\t a \t\t b', 'subject:a b'],
  ['single spaces', 'Subject: a b, c', 'subject:a b, c'],
  ['a space at the end', 'Subject: a b ', 'subject:a b'],
  ['no space behind the colon', 'Subject:a b', 'subject:a b'],
  ['a fold between single spaces', 'Subject: a\r\n b', 'subject:a b'],
  ['an empty value', 'Subject: \t', 'subject:'],
  ['colons in the value stay', 'X-Url:http://a:1', 'x-url:http://a:1'],
  ['a no-break space is no white space', 'Subject: \xa0a\xa0', 'subject:\xa0a\xa0'],
])('relaxed: %s', (_what, raw, expected) => {
  expect(relaxedField(raw)).toBe(expected);
});

it('cuts a message at its first empty line; a folded field is one', () => {
  const { fields, body } = splitMessage(Buffer.from('A: 1\r\nB : 2\r\n\tmore\r\n\r\nbody\r\n\r\nC: 3\r\n'));
  expect(fields).toEqual([
    { name: 'a', raw: 'A: 1' },
    { name: 'b', raw: 'B : 2\r\n\tmore' },
  ]);
  expect(body.toString()).toBe('body\r\n\r\nC: 3\r\n');
});

it('a message without an empty line is all header', () => {
  const { fields, body } = splitMessage(Buffer.from('A: 1\r\nB: 2\r\n'));
  expect(fields.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(body).toHaveLength(0);
});
