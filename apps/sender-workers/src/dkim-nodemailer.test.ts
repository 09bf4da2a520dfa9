import { createSign, generateKeyPairSync } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createDkimKey, createDkimSigner } from '@postloop/mail-domain/dkim';
import DKIM from 'nodemailer/lib/dkim';
import MessageParser, { type MessageParserHeaderLine } from 'nodemailer/lib/dkim/message-parser.js';
import sign from 'nodemailer/lib/dkim/sign.js';
import { expect, it } from 'vitest';
import { DATE, data, randomMails } from './testing/random-mails.js';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = { domain: 'shop.example', selector: 's' };
const ours = createDkimSigner([createDkimKey({ ...key, algorithm: 'rsa-sha256', pem })]);
const theirs = new DKIM({ domainName: key.domain, keySelector: key.selector, privateKey: pem });

const signatureOf = async (message: Buffer) => (await ours(message, DATE)).toString('latin1');
const tag = (field: string, name: string) =>
  new RegExp(`[ ;]${name}=([^;]*)(;|$)`).exec(field)?.[1]?.replace(/\s/g, '') ?? '';

/** The header of a message as nodemailer reads it. */
function fieldsOf(message: Buffer): Promise<MessageParserHeaderLine[]> {
  return new Promise((resolve) => {
    const parser = new MessageParser();
    parser.on('headers', resolve);
    parser.end(message);
    parser.resume();
  });
}

/** What nodemailer signs when the field is this one, and the signature: its own has other tags, and is signed with them. */
async function signedByNodemailer(message: Buffer, field: string): Promise<string> {
  const unsigned = field.slice(0, field.indexOf('b=\r\n') + 'b='.length);
  const header = sign.relaxedHeaders(await fieldsOf(message), tag(field, 'h')).headers;
  const last = sign.relaxedHeaders([{ key: 'dkim-signature', line: unsigned }], 'dkim-signature').headers;
  const canonical = header + last.slice(0, -'\r\n'.length);
  return createSign('RSA-SHA256').update(canonical, 'latin1').sign(pem, 'base64');
}

it.each([
  ['plain', ['From: a@shop.example', 'Subject: x', 'To: b@y.example']],
  ['white space everywhere', ['FROM :\ta@shop.example  ', 'subject:  a \t b\t', 'To:b@y.example', 'Date:']],
  ['folded', ['From: A\r\n <a@shop.example>', 'Subject:\r\n  late\r\n\tx  ', 'List-Unsubscribe: <a:>,\r\n \t<b:>']],
  ['bytes beyond ASCII', ['From: Gr\u00fc\u00dfe <a@shop.example>', 'Subject: \u00a0a\u00a0']],
  ['fields that are not signed', ['X-A: 1', 'From: a@shop.example', 'Received: x', 'Subject: ', 'Feedback-ID: 1:2']],
])('header and signature are those of nodemailer: %s', async (_what, header) => {
  const message = Buffer.from(`${header.join('\r\n')}\r\n\r\nbody\r\n`);
  const field = await signatureOf(message);
  expect(tag(field, 'b')).toBe(await signedByNodemailer(message, field));
});

it('header and signature of random mails are those of nodemailer', async () => {
  for (const { renderer, recipient } of randomMails(100)) {
    const message = renderer.render(recipient, DATE, data).data;
    const field = await signatureOf(message);
    const raw = message.toString('latin1');
    expect(tag(field, 'b'), raw).toBe(await signedByNodemailer(message, field));
    // White space at line ends, which a server on the way might take off: the body is signed as it is.
    expect(raw.slice(raw.indexOf('\r\n\r\n'))).not.toMatch(/[ \t]\r\n/);
  }
});

// nodemailer knows "relaxed" only: these bodies, as ours, are the same in both.
it.each([
  ['no line end', 'a\r\nb'],
  ['empty lines', '\r\na\r\n\r\nb\r\n\r\n\r\n'],
  ['dots', '.\r\n..a\r\n'],
  ['bytes beyond ASCII', 'gr\u00fc\u00dfe \u00a0\r\n'],
  ['a bare CR', 'a\rb\r\n'],
  ['24 KB', `${'<td width=3D"1">=\r\n'.repeat(1_200)}\r\n`],
])('the body hash is that of nodemailer: %s', async (_what, body) => {
  const message = Buffer.from(`From: a@shop.example\r\nSubject: x\r\n\r\n${body}`);
  const hash = tag(await signatureOf(message), 'bh');
  expect(hash).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(hash).toBe(tag(await text(theirs.sign(message)), 'bh'));
});
