import { expect, it } from 'vitest';
import { finderOf, isWellFormed, mentions, withoutLines, withoutRawRows, withoutRecords } from './erase-text.js';

const finder = finderOf('zita@gone.example');

/** A file in pieces of one byte: no place between two chunks is special. */
async function* piecesOf(text: string): AsyncGenerator<Buffer> {
  for (const byte of Buffer.from(text)) yield Buffer.from([byte]);
}

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

it('takes the records of an address out of a file; every other record stays on its line', async () => {
  const file = 'a@b.example;1\n\n"ZITA@gone.example";"two\nlines"\r\n"c@d.example";"é"\nzita@gone.example;9';
  expect(await textOf(withoutRecords(piecesOf(file), finder))).toBe('a@b.example;1\n\n\n\n"c@d.example";"é"\n\n');
});

it('finds an address whatever its case and wherever the chunks are cut', async () => {
  expect(await mentions(piecesOf('x;Zita@GONE.example;y'), 'zita@gone.example')).toBe(true);
  expect(await mentions(piecesOf('x;zita@gone.exampl'), 'zita@gone.example')).toBe(false);
});

it('a file whose quoting is broken loses the lines that hold the address', async () => {
  const broken = 'a@b.example;1\nzita@gone.example;"x\nc@d.example;2';
  expect(await isWellFormed(piecesOf(broken))).toBe(false);
  expect(await textOf(withoutLines(piecesOf(broken), finder))).toBe('a@b.example;1\n\nc@d.example;2');
});

it('an error file keeps its faults and loses the quoted rows', () => {
  const fault = { line: 1, message: 'zita@gone.example: bad', rawRow: 'Zita@gone.example;Zuckerkandl' };
  const told: unknown = JSON.parse(withoutRawRows(JSON.stringify({ importId: '5', faults: [fault] }), finder));
  expect(told).toEqual({ importId: '5', faults: [{ line: 1, message: '[erased]: bad', rawRow: null }] });
});
