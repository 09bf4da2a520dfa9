import { expect, it } from 'vitest';
import { RowMessages } from './row-messages.js';

const message = (kind: string, content: string): Buffer => {
  const head = Buffer.from(`${kind}....`);
  head.writeUInt32BE(4 + Buffer.byteLength(content), 1);
  return Buffer.concat([head, Buffer.from(content)]);
};

const ROWS = ['1;Ada\n', '2;"Zoë\nLovelace"\n', '\n', `3;${'x'.repeat(300)}\n`];
const END = [message('c', ''), message('C', 'COPY 4\0'), message('Z', 'T')];
const STREAM = Buffer.concat([
  message('H', '\0\0\u0001\0\0'),
  message('d', ROWS[0] ?? ''),
  message('N', 'SNOTICE\0Mby the way\0\0'),
  message('d', ROWS[1] ?? ''),
  message('d', ROWS[2] ?? ''),
  message('S', 'TimeZone\0UTC\0'),
  message('d', ROWS[3] ?? ''),
  ...END,
]);

/** Takes pieces until the rows are over; what comes later is nobody's but pg's. */
function taken(pieces: readonly Buffer[]): { rows: string; rest: Buffer } {
  const messages = new RowMessages();
  const rows: Buffer[] = [];
  for (const [i, piece] of pieces.entries()) {
    const { rows: some, rest } = messages.take(Buffer.from(piece));
    rows.push(some);
    if (rest) return { rows: Buffer.concat(rows).toString(), rest: Buffer.concat([rest, ...pieces.slice(i + 1)]) };
  }
  throw new Error('the rows do not end');
}

it.each([1, 2, 3, 4, 5, 6, 7, 11, 64, STREAM.length])('takes the rows out of pieces of %i bytes', (size) => {
  const pieces = Array.from({ length: Math.ceil(STREAM.length / size) }, (_, i) =>
    STREAM.subarray(i * size, (i + 1) * size),
  );
  expect(taken(pieces)).toEqual({ rows: ROWS.join(''), rest: Buffer.concat(END) });
});

it('ends with an error too, and leaves it to pg', () => {
  const error = message('E', 'SERROR\0C22012\0\0');
  expect(taken([Buffer.concat([message('d', '1\n'), error])])).toEqual({ rows: '1\n', rest: error });
});
