import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { answer, arf, dsn, message, multipart, prose, RETURNED } from './fixtures/messages.js';
import { classifyInbound, DEFAULT_INBOUND_LIMITS, type InboundLimits, parseInbound } from './index.js';

const LIMITS: InboundLimits = DEFAULT_INBOUND_LIMITS;

describe('parseInbound', () => {
  it('reads charsets and transfer encodings as another parser does', async () => {
    const bodies = [
      'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe=20=\nan alle',
      `Content-Type: text/plain; charset=shift_jis\nContent-Transfer-Encoding: base64\n\n${Buffer.from([0x83, 0x81, 0x81, 0x5b, 0x83, 0x8b]).toString('base64')}`,
      'Content-Type: text/plain; charset=iso-8859-2\nContent-Transfer-Encoding: quoted-printable\n\nP=F8=EDli=B9',
      'Content-Type: text/plain; charset=iso-2022-jp\n\n\u001b$B%a!<%k\u001b(B',
    ];
    for (const body of bodies) {
      const raw = multipart({ From: 'a@b.example' }, 'multipart/mixed', [body]);
      const other = await PostalMime.parse(raw);
      expect(parseInbound(raw, LIMITS).text.trim()).toBe(other.text?.trim());
    }
  });

  it('guesses where the charset is wrong or missing', () => {
    const latin = Buffer.concat([message({ Subject: 'x' }, ''), Buffer.from('na\xefve', 'latin1')]);
    expect(parseInbound(latin, LIMITS).text).toContain('naïve');
    const unknown = message({ 'Content-Type': 'text/plain; charset=klingon' }, 'Grüße');
    expect(parseInbound(unknown, LIMITS).text).toContain('Grüße');
  });

  it('reads a notice that is only HTML', () => {
    const raw = message(
      { 'Content-Type': 'text/html' },
      '<style>b{}</style><p>Not <b>delivered</b> &amp; lost</p><br>bo@birch.example',
    );
    expect(parseInbound(raw, LIMITS).text.trim()).toBe('Not delivered & lost\n\nbo@birch.example');
  });

  it('ends a part without its last boundary where the message ends', () => {
    const cut = dsn([{ recipient: 'bo@birch.example', status: '5.1.1' }]);
    const raw = cut.subarray(0, cut.indexOf('Subject: Autumn'));
    expect(parseInbound(raw, LIMITS).original?.find(({ name }) => name === 'message-id')?.value).toBe(
      '<m1234.abcd@sender.example>',
    );
  });

  it('says nothing when it read all', () => {
    expect(parseInbound(prose('It failed.'), LIMITS).gaveUpOn).toEqual([]);
  });
});

describe('limits', () => {
  const bomb = (depth: number): Buffer => {
    const lines = ['Content-Type: multipart/mixed; boundary=b0', ''];
    for (let level = 0; level < depth; level++)
      lines.push(`--b${level}`, `Content-Type: multipart/mixed; boundary=b${level + 1}`, '');
    return Buffer.from(lines.join('\r\n'));
  };

  it('hold for a message of parts within parts', () => {
    const report = parseInbound(bomb(50_000), LIMITS);
    expect(report.gaveUpOn).toContain('depth');
    expect(classifyInbound(report)).toHaveLength(1);
  });

  it('hold for messages attached to messages', () => {
    const nested = Buffer.from('Content-Type: message/rfc822\n\n'.repeat(100_000));
    expect(classifyInbound(parseInbound(nested, LIMITS))).toHaveLength(1);
  });

  it.each<[string, Buffer, Partial<InboundLimits>]>([
    ['size', message({}, 'x'.repeat(5_000)), { maxBytes: 1_000 }],
    [
      'recipients',
      dsn(Array.from({ length: 200 }, (_, index) => ({ recipient: `b${index}@birch.example`, status: '5.1.1' }))),
      {},
    ],
    [
      'parts',
      multipart(
        {},
        'multipart/mixed',
        Array.from({ length: 50 }, () => '\nx'),
      ),
      { maxParts: 10 },
    ],
    ['line_length', message({}, 'x'.repeat(5_000)), { maxLineLength: 998 }],
    ['header_size', message({ 'X-Long': 'x'.repeat(5_000) }, ''), { maxHeaderBytes: 1_000 }],
  ])('of %s are said to be reached', (what, raw, limits) => {
    const { gaveUpOn, text } = parseInbound(raw, { ...LIMITS, ...limits });
    expect(gaveUpOn).toEqual([what]);
    expect(text.length).toBeLessThan(2_000);
  });

  it("of time are kept by the caller's clock", () => {
    let ticks = 0;
    const report = parseInbound(message({}, 'x\n'.repeat(100_000)), { ...LIMITS, timeBudgetMs: 20 }, () => ticks++);
    expect(report.gaveUpOn).toEqual(['time']);
    expect(ticks).toBeLessThan(30);
  });

  it.each<[string, Buffer]>([
    ['empty lines', Buffer.alloc(4_000_000, '\n')],
    ['dashes', Buffer.concat([bomb(11), Buffer.from('\n--b\n'.repeat(700_000))])],
    ['one line', Buffer.alloc(4_000_000, 'a')],
    ['addresses', message({ From: 'mailer-daemon@x.example' }, 'a@b.example '.repeat(300_000))],
    ['lines of addresses', message({ From: 'mailer-daemon@x.example' }, 'a@b.example:\n'.repeat(300_000))],
    ['codes', message({ From: 'mailer-daemon@x.example' }, '550 5.1.1 '.repeat(400_000))],
    ['brackets', message({ 'Content-Type': 'text/html', From: 'mailer-daemon@x.example' }, '<'.repeat(3_000_000))],
    ['entities', message({ 'Content-Type': 'text/html' }, '&amp'.repeat(900_000))],
    ['encoded words', message({ Subject: '=?utf-8?Q?'.repeat(1_000), From: '=?utf-8?B?=?='.repeat(1_000) }, 'x')],
    ['white space', message({ From: 'mailer-daemon@x.example' }, `<a@b.example>:${' '.repeat(3_000_000)}x`)],
    ['quoted-printable', message({ 'Content-Transfer-Encoding': 'quoted-printable' }, '='.repeat(3_000_000))],
    ['fields', message({ 'Content-Type': 'message/delivery-status' }, 'Action: failed\n\n'.repeat(200_000))],
    [
      'recipients without end',
      message({ 'Content-Type': 'message/delivery-status' }, 'Final-Recipient: rfc822;a@b.example\n'.repeat(100_000)),
    ],
  ])('keep a message of %s within a second or two', (_of, raw) => {
    const started = performance.now();
    const verdicts = classifyInbound(parseInbound(raw, LIMITS));
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(verdicts.length).toBeGreaterThan(0);
  });
});

describe('a thousand mutated messages', () => {
  const seeds = [
    dsn([{ recipient: 'bo@birch.example', status: '5.1.1', diagnostic: '550 5.1.1 No such user' }]),
    prose('<bo@birch.example>:\nRemote host said: 552 5.2.2 over quota'),
    arf('Feedback-Type: abuse\nOriginal-Rcpt-To: <bo@birch.example>'),
    answer({ 'Auto-Submitted': 'auto-replied', Subject: '=?utf-8?Q?Weg?=' }),
    multipart({ From: 'postmaster@x.example' }, 'multipart/mixed', ['Content-Type: text/html\n\n<p>failed', RETURNED]),
  ];
  const edit = fc.record({
    at: fc.nat({ max: 3_000 }),
    remove: fc.nat({ max: 80 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          '\n\n',
          '--parting-of-the-ways\n',
          '=?',
          '<',
          '>',
          '@',
          ': ',
          'Content-Type: multipart/mixed; boundary="',
          '550 5.1.1 ',
          '\0',
        )
        .map((text) => Buffer.from(text)),
    ),
    repeat: fc.integer({ min: 1, max: 300 }),
  });

  it('are all classified, soon, with verdicts that can be stored', () => {
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 8 }), (seed, edits) => {
        const started = performance.now();
        const verdicts = classifyInbound(parseInbound(edits.reduce(apply, seed), LIMITS));
        expect(performance.now() - started).toBeLessThan(1_000);
        expect(verdicts.length).toBeGreaterThan(0);
        for (const { diagnostic, hard, category, recipient, statusCode, originalMessageId } of verdicts) {
          expect(diagnostic.length).toBeLessThanOrEqual(500);
          expect(diagnostic).not.toMatch(/\p{Cc}/u);
          expect(hard).toBe(category === 'fatal_bounce');
          expect(recipient ?? 'a@b').toMatch(/^[\x21-\x7e]{3,254}$/);
          expect(statusCode ?? '5.0.0').toMatch(/^[245]\.\d{1,3}\.\d{1,3}$/);
          expect(originalMessageId ?? 'a@b').toMatch(/^[\x21-\x7e]{1,500}$/);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  function apply(
    raw: Buffer,
    { at, remove, insert, repeat }: { at: number; remove: number; insert: Buffer; repeat: number },
  ): Buffer {
    const start = at % (raw.length + 1);
    const added = Array.from({ length: repeat }, () => insert);
    return Buffer.concat([raw.subarray(0, start), ...added, raw.subarray(start + remove)]);
  }
});
