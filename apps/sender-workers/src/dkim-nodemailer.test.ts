import { generateKeyPairSync } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createDkimKey, createDkimSigner } from '@postloop/mail-domain/dkim';
import DKIM from 'nodemailer/lib/dkim';
import { expect, it } from 'vitest';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = { domain: 'shop.example', selector: 's' };
const ours = createDkimSigner([createDkimKey({ ...key, algorithm: 'rsa-sha256', pem })]);
const theirs = new DKIM({ domainName: key.domain, keySelector: key.selector, privateKey: pem });

const HEADER = 'From: a@shop.example\r\nSubject: x\r\n\r\n';
const bodyHashOf = (mail: string) => /bh=\s*([^;]+);/.exec(mail)?.[1];

it.each([
  ['empty', ''],
  ['only line ends', '\r\n\r\n'],
  ['white space everywhere', ' a\t b \r\n \t\r\nc  \r\n\t\r\n\r\n'],
  ['no line end', 'a\r\nb'],
  ['dots', '.\r\n..a\r\n'],
  ['bytes beyond ASCII', 'gr\u00fc\u00dfe \u00a0\r\n'],
  ['a bare CR', 'a\rb\r\n'],
  ['24 KB', `${'<td  width=3D"1">=\r\n'.repeat(1_200)}\r\n`],
])('the body hash is that of nodemailer: %s', async (_what, body) => {
  const message = Buffer.from(HEADER + body);
  const signed = (await ours(message, new Date())).toString('latin1');
  expect(bodyHashOf(signed)).toBe(bodyHashOf(await text(theirs.sign(message))));
  expect(bodyHashOf(signed)).toMatch(/^[A-Za-z0-9+/]{43}=$/);
});
