import fc from 'fast-check';

/** One thing that transport, gateways or an enemy do to a message. `at` is a share of its length, 0 to 1. */
type Mutation =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'cut'; at: number; share: number }
  | { kind: 'truncate'; at: number }
  | { kind: 'repeat_line'; at: number; times: number }
  | { kind: 'swap_lines'; at: number; other: number }
  | { kind: 'break_boundary'; at: number }
  | { kind: 'lie'; about: RegExp; with: string }
  | { kind: 'insert'; at: number; text: string };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const LIES = {
  charset: ['utf-16le', 'iso-2022-jp', 'utf-7', 'x-no-such', 'utf-8"; charset="big5', '=?utf-8?q?a?='],
  encoding: ['base64', 'quoted-printable', 'uuencode', '8bit; base64', ''],
  type: [
    'multipart/report',
    'message/rfc822',
    'message/delivery-status',
    'text/html',
    '/',
    'multipart/mixed; boundary=""',
  ],
  status: ['5', '5.1.1.1.1', '9.9.9', '5.1.1 (', '2.0.0', '٥.١.١'],
} as const;
const lie = (about: RegExp, texts: readonly string[]) =>
  fc.constantFrom(...texts).map((text) => ({ kind: 'lie', about, with: text }) as const);
/** What parsers stumble over: long runs, controls, half sequences. */
const NASTY = [
  '\0',
  '\r',
  '\n\n',
  '--',
  '=?utf-8?b?',
  '=\n',
  '<'.repeat(900),
  '('.repeat(900),
  '"',
  ';'.repeat(500),
  '\ud83d',
  '\u202e',
  'a@b'.repeat(300),
];

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant<'flip'>('flip'), at: share, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant<'cut'>('cut'), at: share, share: fc.double({ min: 0, max: 0.3, noNaN: true }) }),
  fc.record({ kind: fc.constant<'truncate'>('truncate'), at: share }),
  fc.record({ kind: fc.constant<'repeat_line'>('repeat_line'), at: share, times: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ kind: fc.constant<'swap_lines'>('swap_lines'), at: share, other: share }),
  fc.record({ kind: fc.constant<'break_boundary'>('break_boundary'), at: share }),
  fc.record({ kind: fc.constant<'insert'>('insert'), at: share, text: fc.constantFrom(...NASTY) }),
  lie(
    /charset="?[\w-]*"?/i,
    LIES.charset.map((name) => `charset="${name}"`),
  ),
  lie(
    /Content-Transfer-Encoding:.*/i,
    LIES.encoding.map((name) => `Content-Transfer-Encoding: ${name}`),
  ),
  lie(
    /Content-Type: [\w/-]*/i,
    LIES.type.map((name) => `Content-Type: ${name}`),
  ),
  lie(
    /Status: .*/,
    LIES.status.map((code) => `Status: ${code}`),
  ),
);

/** Returned mails, each damaged in one to six places. The same seed gives the same ones. */
export function hostileMails(originals: readonly string[], count: number, seed: number): Buffer[] {
  const damaged = fc
    .tuple(fc.constantFrom(...originals), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([original, mutations]) => mutations.reduce(mutate, Buffer.from(original, 'utf8')));
  return fc.sample(damaged, { numRuns: count, seed });
}

function mutate(mail: Buffer, mutation: Mutation): Buffer {
  const at = 'at' in mutation ? Math.floor(mutation.at * mail.length) : 0;
  switch (mutation.kind) {
    case 'flip':
      return Buffer.from(mail.map((byte, index) => (index === at ? byte ^ (1 << mutation.bit) : byte)));
    case 'cut':
      return Buffer.concat([mail.subarray(0, at), mail.subarray(at + Math.floor(mutation.share * mail.length))]);
    case 'truncate':
      return mail.subarray(0, at);
    case 'insert':
      return Buffer.concat([mail.subarray(0, at), Buffer.from(mutation.text), mail.subarray(at)]);
    default:
      return Buffer.from(mutateText(mail.toString('latin1'), mutation), 'latin1');
  }
}

function mutateText(text: string, mutation: Mutation): string {
  const lines = text.split('\n');
  const lineAt = (at: number) => Math.min(lines.length - 1, Math.floor(at * lines.length));
  if (mutation.kind === 'lie') return text.replace(mutation.about, mutation.with);
  if (mutation.kind === 'repeat_line') {
    const index = lineAt(mutation.at);
    lines.splice(index, 0, ...Array.from({ length: mutation.times }, () => lines[index] ?? ''));
  }
  if (mutation.kind === 'swap_lines') {
    const [one, other] = [lineAt(mutation.at), lineAt(mutation.other)];
    [lines[one], lines[other]] = [lines[other] ?? '', lines[one] ?? ''];
  }
  if (mutation.kind === 'break_boundary') {
    const delimiters = lines.flatMap((line, index) => (line.startsWith('--') ? [index] : []));
    const index = delimiters[Math.floor(mutation.at * delimiters.length)];
    if (index !== undefined) lines[index] = `${lines[index]}x`;
  }
  return lines.join('\n');
}

/** As SMTP sends it (RFC 5321 4.5.2): lines end in CRLF, a dot at a line's start is doubled. */
export function onTheWire(mail: Buffer): Buffer {
  const text = mail.toString('latin1').replace(/\r?\n/g, '\r\n');
  return Buffer.from(text.replace(/(^|\r\n)\./g, '$1..'), 'latin1');
}

/** Multiparts inside one another, 20,000 deep, then padding: as many bytes as wanted. */
export function nestedBomb(bytes: number): Buffer {
  const nested = Array.from(
    { length: 20_000 },
    (_, depth) => `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`,
  );
  return Buffer.alloc(bytes, `From: <eve@x.example>\r\nMIME-Version: 1.0\r\n${nested.join('')}${'A'.repeat(70)}\r\n`);
}
