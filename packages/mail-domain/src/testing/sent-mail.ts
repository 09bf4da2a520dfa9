import fc from 'fast-check';
import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { expect } from 'vitest';
import {
  compileMail,
  createKeyring,
  createRenderer,
  type MailSource,
  type RenderData,
  type RendererOptions,
  TemplateError,
  type TemplateProblem,
} from '../index.js';

export const keyring = createKeyring({ keys: [{ id: 1, secret: Buffer.alloc(32, 7) }], current: 1 });
const FIELDS = ['Email', 'First name', 'Link'];
export const DATE = new Date('2026-11-21T07:05:09.5Z');
export const MAILING = 2n ** 53n + 1n;
export const RECIPIENT = 2n ** 60n + 7n;
export const base = 'https://track.example.com';

export const OPTIONS: RendererOptions = {
  mailingId: MAILING,
  clientId: 7n,
  keyring,
  publicUrl: `${base}/`,
  returnPathDomain: 'bounce.example.com',
  listId: '7.lists.example.com',
};

export type Change = Partial<MailSource>;
export type Values = (string | null)[];
export type Options = Partial<RendererOptions> & { data?: RenderData };

/** A program as it comes back from the database. */
export function programOf(change: Change): ReturnType<typeof compileMail> {
  const source: MailSource = {
    fields: FIELDS,
    subject: 'Hello',
    fromName: 'Shop',
    fromAddress: 'shop@example.com',
    replyTo: null,
    html: '<p>Hello</p>',
    text: null,
    linkTracking: true,
    ...change,
  };
  return JSON.parse(JSON.stringify(compileMail(source)));
}

export function rendererOf(change: Change, options: Partial<RendererOptions> = {}) {
  return createRenderer(programOf(change), { ...OPTIONS, ...options });
}

/** All problems of a source mailing; none when it compiles. */
export function problemsOf(change: Change): readonly TemplateProblem[] {
  try {
    programOf(change);
  } catch (error) {
    if (error instanceof TemplateError) return error.problems;
    throw error;
  }
  return [];
}

export function send(change: Change, fields: Values = [], { data, ...options }: Options = {}) {
  return rendererOf(change, options).render({ id: RECIPIENT, email: 'ann@example.org', fields }, DATE, data);
}

export async function receive(change: Change, fields: Values = [], options: Options = {}) {
  return readMail(send(change, fields, options).data);
}

/** As another program reads it. */
export async function readMail(data: Buffer) {
  checkWire(data);
  const email = await PostalMime.parse(data);
  const header = (name: string) => email.headers.filter(({ key }) => key === name).map(({ value }) => value);
  return { ...email, html: email.html ?? '', text: readText(email), header };
}

export function bytesOf(attachment: Attachment | undefined): Buffer {
  const content = attachment?.content ?? '';
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(new Uint8Array(content));
}

/** The parser ends every text part with one more line end. */
export const readText = (email: Email) => (email.text ?? '').replace(/\r\n/g, '\n').replace(/\n$/, '');

/** What SMTP and MIME ask of the bytes: CRLF, ASCII, short lines, no dot to stuff, no white space that may be stripped. */
export function checkWire(data: Buffer): void {
  const text = data.toString('latin1');
  expect(text).toMatch(/^[\t\r\n\x20-\x7e]*$/);
  expect(text.endsWith('\r\n')).toBe(true);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  const body = text.indexOf('\r\n\r\n');
  for (const line of text.split('\r\n')) expect(line).not.toMatch(/^\.|[ \t]$/);
  for (const line of text.slice(body).split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
  for (const line of text.slice(0, body).split('\r\n'))
    expect(line.length).toBeLessThanOrEqual(line.includes('=?') ? 76 : 998);
}

export const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ maxLength: 200 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '{{ Email }}{% x %}',
    '"; onclick="x',
    "' onclick='x",
    'a\r\nBcc: all@example.com\r\n\r\n<b>',
    'a\0b',
    '\ud800x\udc00',
    'javascript:alert(1)',
    '\u202egnp.exe',
    '</title></p><!-- --><![endif]-->',
    '.\r\n.\r\nFrom x',
    '=?UTF-8?B?PGI+?= =3D\t \t',
    '&lt;&amp;&#60',
    'x'.repeat(300),
    ' . ',
    '',
  ),
);

/** What of a value a reader can see: no control characters, line ends as LF, halves of surrogate pairs replaced. */
export const visible = (value: string) =>
  value
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\t\n]|[\ufffe\uffff]/gu, '')
    .replace(/\p{Surrogate}/gu, '\ufffd');

/** What a header shows of a value: one line, without characters that turn what follows around. */
export const inHeader = (value: string) =>
  value
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g, '')
    .replace(/\p{Surrogate}/gu, '\ufffd');

/** Runs of white space count as one, as in a header. */
export const squeezed = (text: string | undefined) => (text ?? '').replace(/\s+/g, ' ').trim();
