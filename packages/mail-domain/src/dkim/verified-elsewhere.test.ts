import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileMail, createKeyring, createRenderer } from '../index.js';
import { createDkimKey, dkimRecord } from './dkim-key.js';
import { createDkimSigner } from './dkim-signer.js';

// 100 varied mails, signed twice, are verified by programs that are not ours: Mail::DKIM (rsa) and dkimpy (both).

const MAILS = 100;
const CRLF = Buffer.from('\r\n');
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'postloop-dkim-'));
const records = join(directory, 'records');
let files: string[] = [];

const pem = { type: 'pkcs8', format: 'pem' } as const;
const key = (selector: string, algorithm: 'rsa-sha256' | 'ed25519-sha256') => {
  const { privateKey } =
    algorithm === 'rsa-sha256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  return createDkimKey({ domain: 'shop.example', selector, algorithm, pem: privateKey.export(pem).toString() });
};

beforeAll(async () => {
  const keys = [key('rsa', 'rsa-sha256'), key('ed', 'ed25519-sha256')];
  const lines = keys.map((one) => dkimRecord(one)).map(({ name, value }) => `${name}\t${value}\n`);
  writeFileSync(records, lines.join(''));
  const sign = createDkimSigner(keys);
  files = await Promise.all(
    Array.from({ length: MAILS }, async (_, i) => {
      const file = join(directory, `${i}.eml`);
      const message = mail(i);
      // SMTP has no message without a last line end.
      const end = message.subarray(-2).equals(CRLF) ? [] : [CRLF];
      writeFileSync(file, Buffer.concat([await sign(message, new Date()), message, ...end]));
      return file;
    }),
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Half of them as the renderer makes them, half of them odder than it ever would. */
function mail(i: number): Buffer {
  return i % 2 === 0 ? rendered(i) : odd(i);
}

const keyring = createKeyring({ keys: [{ id: 1, secret: Buffer.alloc(32, 7) }], current: 1 });
const SUBJECTS = ['Hello', 'Grüße, {{ name }} 👋', '', '漢字'.repeat(60), 'a  b\t c', ' x '.repeat(120)];
const BODIES = [
  '<p>Hello</p>',
  '',
  `<p>${'long '.repeat(2_000)}</p>`,
  `<p>${'x'.repeat(3_000)}</p>`,
  '.\n..\n.dot\n<p>&nbsp;–  ü</p>\n\n\n',
  '<a href="https://shop.example/{{ name }}">{{ name }}</a>\n \t \n',
];

function rendered(i: number): Buffer {
  const pick = (texts: string[], step: number) => texts[Math.floor(i / step) % texts.length] ?? '';
  const source = {
    fields: ['name'],
    subject: pick(SUBJECTS, 2),
    fromName: pick(['Shop', '', 'Größe "Inc."', 'Ö'.repeat(80)], 3),
    fromAddress: 'news@mail.shop.example',
    replyTo: i % 4 === 0 ? 'reply@shop.example' : null,
    html: pick(BODIES, 5),
    text: i % 8 === 0 ? null : pick(BODIES, 7).replaceAll(/<[^>]*>/g, ''),
    linkTracking: true,
  };
  const renderer = createRenderer(compileMail(source), {
    mailingId: BigInt(i + 1),
    clientId: 7n,
    keyring,
    publicUrl: 'https://track.example',
    returnPathDomain: 'bounce.shop.example',
    listId: '7.lists.example',
  });
  const fields = [['Ada', 'Jürgen', null, '.\r\nBcc: x@y.example', ' '.repeat(100)][i % 5] ?? null];
  return renderer.render({ id: BigInt(i + 1), email: `r${i}@example.org`, fields }, new Date()).data;
}

function odd(i: number): Buffer {
  const bodies = [
    '',
    '\r\n',
    '\r\n\r\n\r\n',
    ' \t\r\n',
    'a \t b  \r\n\r\n',
    '.\r\n..\r\n',
    'no end',
    `${'y '.repeat(5_000)}\r\n`,
  ];
  const header = [
    'From:\tShop <news@shop.example>  ',
    `To: r${i}@example.org,`,
    '\tother@example.org',
    ['Subject:', 'SUBJECT:  folded', 'Subject: \xc3\xbc raw'][i % 3] ?? '',
    ' over\t lines  ',
    'List-Unsubscribe: <https://t.example/u/x>,',
    '   <mailto:b@t.example>',
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    ...(i % 5 === 0 ? ['Reply-To: a@shop.example', 'List-Id: one', 'List-Id: two'] : []),
  ];
  return Buffer.from(`${header.join('\r\n')}\r\n\r\n${bodies[Math.floor(i / 2) % bodies.length]}`, 'latin1');
}

describe.each([
  {
    tool: 'Mail::DKIM',
    program: 'perl',
    probe: ['-MMail::DKIM::Verifier', '-e1'],
    script: 'verify.pl',
    debian: 'libmail-dkim-perl',
    verifies: ['rsa'],
  },
  {
    tool: 'dkimpy',
    program: '/usr/bin/python3',
    probe: ['-c', 'import dkim, nacl'],
    script: 'verify.py',
    debian: 'python3-dkim python3-nacl',
    verifies: ['0', '1'],
  },
])('$tool', ({ tool, program, probe, script, debian, verifies }) => {
  const there = spawnSync(program, probe).status === 0;
  const run = (mails: string[]) => {
    const { stdout, stderr } = spawnSync(program, [fixture(script), records, ...mails], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
  };

  it(`verifies ${MAILS} varied mails`, (context) => {
    if (!there) return context.skip(`${tool} is not installed (Debian: ${debian})`);
    const results = run(files).filter(([, signature = '']) => verifies.includes(signature));
    expect(results.filter(([, , result]) => result !== 'pass')).toEqual([]);
    expect(results).toHaveLength(MAILS * verifies.length);
  });

  it('refuses a changed body, and a header added to a signed name', (context) => {
    if (!there) return context.skip(`${tool} is not installed (Debian: ${debian})`);
    const signed = readFileSync(files[0] ?? '', 'latin1');
    const forged = [
      signed.replace('Hello', 'Hallo'),
      signed.replace('\r\nSubject:', '\r\nSubject: another\r\nSubject:'),
      signed.replace('\r\nList-Id:', '\r\nList-Unsubscribe: <https://evil.example>\r\nList-Id:'),
      signed.replace('List-Unsubscribe=One-Click', 'List-Unsubscribe=Other'),
    ].map((text, i) => {
      const file = join(directory, `forged-${i}.eml`);
      writeFileSync(file, text, 'latin1');
      return file;
    });
    const results = run(forged).filter(([, signature = '']) => verifies.includes(signature));
    expect(results).toHaveLength(forged.length * verifies.length);
    expect(results.filter(([, , result]) => result === 'pass')).toEqual([]);
  });
});
