import { expect, it } from 'vitest';
import { readRawRows } from './raw-rows.js';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = async (text: string | Buffer, lines: number[], size = 1_000) =>
  Object.fromEntries(await readRawRows(inPieces(Buffer.from(text), size), new Set(lines)));

const FILE = '\ufeffa;1\r\n"b\n""two""";2\n\nc;3\nd;"4';

it.each([1, 2, 3, 7, 1_000])('finds rows by the line at which they begin, in pieces of %i bytes', async (size) => {
  expect(await read(FILE, [1, 2, 5, 6], size)).toEqual({ 1: 'a;1', 2: '"b\n""two""";2', 5: 'c;3', 6: 'd;"4' });
});

it('an open quotation mark takes no row that is told itself', async () => {
  expect(await read('a;"b\nc;d\ne;f\n', [1, 2])).toEqual({ 1: 'a;"b', 2: 'c;d' });
});

it('what is no text comes as U+FFFD', async () => {
  expect(await read(Buffer.from([0x61, 0xfc, 0x3b, 0x0a]), [1])).toEqual({ 1: 'a\ufffd;' });
});

it('a row without an end is cut', async () => {
  const told = await read(`"${'x'.repeat(5_000)}\n`.repeat(100), [1]);
  expect(told[1]).toHaveLength(2_001);
  expect(told[1]?.at(-1)).toBe('…');
});

it('reads no further than it must', async () => {
  let read = 0;
  async function* endless() {
    for (;;) {
      read += 1;
      yield Buffer.from('a;b\n');
    }
  }
  expect(await readRawRows(endless(), new Set([3]))).toEqual(new Map([[3, 'a;b']]));
  expect(read).toBe(3);
});
