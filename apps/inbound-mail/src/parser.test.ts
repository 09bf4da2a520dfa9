import { answer } from '@postloop/local-stack';
import { afterEach, describe, expect, it } from 'vitest';
import { Parser, type ParserOptions } from './parser.js';

const parsers: Parser[] = [];
afterEach(async () => {
  for (const parser of parsers.splice(0)) await parser[Symbol.asyncDispose]();
});

function open(options: Partial<ParserOptions> = {}): Parser {
  const parser = new Parser({ timeoutMs: 5_000, heapMb: 64, ...options });
  parsers.push(parser);
  return parser;
}

const thread = (program: string) =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${program}`)}`);
const mail = Buffer.from(answer({ from: 'ada@x.example', to: 'service@shop.example' }));

it('reads in its thread what a message says', async () => {
  const result = await open().read(mail);
  expect(result).toMatchObject({ kind: 'read', reading: { subject: 'Re: News', verdicts: [{ kind: 'reply' }] } });
});

describe('a message that is too much for its thread is given up, and the next one is read', () => {
  it.each([
    ['time', 'for (;;);', /longer than 300 ms/],
    ['memory', 'const all = []; for (;;) all.push(new Array(10_000).fill({}).map(() => ({})));', /memory/],
    ['it throws', "throw new Error('broken')", /broken/],
    ['it ends', 'process.exit(3)', /ended/],
  ])('%s', async (_what, reaction, reason) => {
    const timeoutMs = _what === 'time' ? 300 : 20_000;
    const program = `parentPort.on('message', ({ raw }) => { if (raw.length > 5) { ${reaction} } parentPort.postMessage({ n: raw.length }); });`;
    let replaced = 0;
    const parser = open({
      timeoutMs,
      heapMb: 32,
      thread: thread(program),
      onReplaced: () => {
        replaced += 1;
      },
    });
    expect(await parser.read(Buffer.from('hostile'))).toEqual({
      kind: 'gave_up',
      reason: expect.stringMatching(reason),
    });
    expect(await parser.read(Buffer.from('next'))).toEqual({ kind: 'read', reading: { n: 4 } });
    expect(replaced).toBe(1);
  });
});

it('a MIME bomb of 50 MB is read within its limits, and says what was left out', async () => {
  const nested = Array.from(
    { length: 20_000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  );
  const bomb = Buffer.alloc(50_000_000, `From: <eve@x.example>\r\nMIME-Version: 1.0\r\n${nested.join('')}`);
  const begin = performance.now();
  const result = await open().read(bomb);
  expect(result).toMatchObject({ kind: 'read', reading: { gaveUpOn: expect.arrayContaining(['size', 'depth']) } });
  expect(performance.now() - begin).toBeLessThan(5_000);
});
