import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'parse5';
import PostalMime, { type Email } from 'postal-mime';
import { describe, expect, it } from 'vitest';
import {
  compileMail,
  createKeyring,
  createRenderer,
  type MailSource,
  openTarget,
  RenderError,
  type RendererOptions,
  verifyToken,
} from './index.js';

const keyring = createKeyring({ keys: [{ id: 1, secret: Buffer.alloc(32, 7) }], current: 1 });
const FIELDS = ['Email', 'First name', 'Link'];
const DATE = new Date('2026-11-21T07:05:09.5Z');
const MAILING = 2n ** 53n + 1n;
const RECIPIENT = 2n ** 60n + 7n;
const base = 'https://track.example.com';

const OPTIONS: RendererOptions = {
  mailingId: MAILING,
  clientId: 7n,
  keyring,
  publicUrl: `${base}/`,
  returnPathDomain: 'bounce.example.com',
  listId: '7.lists.example.com',
};

function rendererOf(change: Partial<MailSource>, options: Partial<RendererOptions> = {}) {
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
  // As it comes back from the database.
  return createRenderer(JSON.parse(JSON.stringify(compileMail(source))), { ...OPTIONS, ...options });
}

type Values = (string | null)[];

function send(change: Partial<MailSource>, fields: Values = [], options: Partial<RendererOptions> = {}) {
  return rendererOf(change, options).render({ id: RECIPIENT, email: 'ann@example.org', fields }, DATE);
}

async function receive(change: Partial<MailSource>, fields: Values = [], options: Partial<RendererOptions> = {}) {
  const { data } = send(change, fields, options);
  checkWire(data);
  const email = await PostalMime.parse(data);
  const header = (name: string) => email.headers.filter(({ key }) => key === name).map(({ value }) => value);
  return { ...email, html: email.html ?? '', text: readText(email), header };
}

/** The parser ends every text part with one more line end. */
const readText = (email: Email) => (email.text ?? '').replace(/\r\n/g, '\n').replace(/\n$/, '');

/** What SMTP and MIME ask of the bytes: CRLF, ASCII, short lines, no dot to stuff, no white space that may be stripped. */
function checkWire(data: Buffer): void {
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

const nasty = fc.oneof(
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
const visible = (value: string) =>
  value
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\t\n]|[\ufffe\uffff]/gu, '')
    .replace(/\p{Surrogate}/gu, '\ufffd');

/** Runs of white space count as one, as in a header. */
const squeezed = (text: string | undefined) => (text ?? '').replace(/\s+/g, ' ').trim();

describe('a mail', () => {
  const greetings = {
    subject: 'Grüße, {{ First name }}!',
    fromName: 'Shop "Größe", Inc.',
    replyTo: 'reply@example.com',
    html: '<html><body><p>Grüße {{ First name }} – schön</p></body></html>  ',
    text: 'Grüße {{ First name }}\n.\nFrom you = me \n',
  };

  it('is read as it was written', async () => {
    const mail = await receive(greetings, ['x', 'Jürgen & Söhne']);
    expect(mail.subject).toBe('Grüße, Jürgen & Söhne!');
    expect(mail.from).toMatchObject({ name: 'Shop "Größe", Inc.', address: 'shop@example.com' });
    expect(mail.to).toMatchObject([{ address: 'ann@example.org' }]);
    expect(mail.replyTo).toMatchObject([{ address: 'reply@example.com' }]);
    expect(mail.text).toBe('Grüße Jürgen & Söhne\n.\nFrom you = me \n');
    expect(mail.html).toMatch(
      /^<html><body><p>Grüße Jürgen &amp; Söhne – schön<\/p><img src="https:\/\/track.example.com\/o\/[\w-]+" width="1" height="1" alt=""><\/body><\/html> {2}\n\n?$/,
    );
  });

  it('has the headers of bulk mail and no others', async () => {
    const sent = send(greetings, ['x', 'Ann']);
    const mail = await receive(greetings, ['x', 'Ann']);
    expect(mail.headers.map(({ originalKey }) => originalKey)).toEqual([
      'Date',
      'From',
      'To',
      'Reply-To',
      'Subject',
      'Message-ID',
      'List-Unsubscribe',
      'List-Unsubscribe-Post',
      'List-Id',
      'Feedback-ID',
      'Precedence',
      'MIME-Version',
      'Content-Type',
    ]);
    expect(mail.header('date')).toEqual(['Sat, 21 Nov 2026 07:05:09 +0000']);
    expect(mail.header('list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click']);
    expect(mail.header('list-id')).toEqual(['<7.lists.example.com>']);
    expect(mail.header('feedback-id')).toEqual([`${MAILING}:7`]);
    expect(mail.header('precedence')).toEqual(['bulk']);
    expect(mail.messageId).toBe(sent.messageId);
    expect(sent.envelopeTo).toBe('ann@example.org');
    const [url, mailto] = (mail.header('list-unsubscribe')[0] ?? '').split(/,\s+/);
    const concerns = { mailingId: MAILING, recipientId: RECIPIENT };
    expect(verifyToken(keyring, 'unsubscribe', url?.slice(`<${base}/u/`.length, -1) ?? '')).toEqual({
      ...concerns,
      ordinal: 2,
    });
    expect(mailto).toBe(`<mailto:${sent.envelopeFrom}?subject=unsubscribe>`);
    const [local = '', domain] = sent.envelopeFrom.split('@');
    expect(domain).toBe('bounce.example.com');
    expect(verifyToken(keyring, 'returnPath', local)).toEqual({ ...concerns, ordinal: 0 });
    expect(verifyToken(keyring, 'messageId', sent.messageId.slice(1).split('@')[0] ?? '')).toEqual({
      ...concerns,
      ordinal: 0,
    });
  });

  it('sends unsubscribe mails to an address of its own, with the token', async () => {
    const mail = await receive({}, [], { listUnsubscribeMailto: 'unsubscribe@example.com' });
    const [, token] =
      /<mailto:unsubscribe@example.com\?subject=unsubscribe%20([\w-]+)>$/.exec(
        mail.header('list-unsubscribe')[0] ?? '',
      ) ?? [];
    expect(verifyToken(keyring, 'unsubscribe', token ?? '')).toMatchObject({ recipientId: RECIPIENT });
  });

  it('is the same bytes each time, and never shares them with the next', () => {
    const renderer = rendererOf(greetings);
    const [first, , again] = ['Ann', 'Bob', 'Ann'].map(
      (name) => renderer.render({ id: RECIPIENT, email: 'a@b.example', fields: [null, name, null] }, DATE).data,
    );
    expect(first).toEqual(again);
  });

  it('grows beyond any first guess', async () => {
    const words = 'Größe. '.repeat(40_000);
    const mail = await receive({ html: '<p>{{ First name }}</p>', text: 'x' }, [null, words]);
    expect(mail.html).toContain(words);
  });

  it('is as in the example', () => {
    const { data } = send(
      {
        ...greetings,
        html: '<body><p>Grüße {{ First name }}</p><a href="https://a.example/?x=1">A</a> <a href="{{ Link }}">B</a></body>',
        text: null,
      },
      [null, 'Jürgen <b>', 'https://own.example/ä?x=1&y=2'],
    );
    // To make it anew after a change that is meant: write `data` to the file, with LF, and read the difference.
    const golden = readFileSync(new URL('./fixtures/mail.eml', import.meta.url), 'utf8');
    expect(data.toString().replaceAll('\r\n', '\n')).toBe(golden);
  });
});

describe('a link', () => {
  const html =
    '<body><a href="https://a.example/?x=1&amp;y=2">A</a><a href="{{ Link }}">B</a><a href="https://c.example/?q={{ First name }}#x">C</a><a href="{{ unsubscribe_url }}">U</a></body>';
  const hrefs = (page: string) => [...page.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? '');
  const open = (url: string) => {
    const [, token = '', sealed = ''] = new RegExp(`^${base}/c/([\\w-]+)/([\\w-]+)$`).exec(url) ?? [];
    return { content: verifyToken(keyring, 'click', token), target: openTarget(keyring, token, sealed) };
  };

  it('names its recipient and never its target', async () => {
    const mail = await receive({ html }, [null, 'Ann & Bob', 'https://own.example/?a=1&b=ü']);
    const [fixed = '', own = '', search = '', unsubscribe = ''] = hrefs(mail.html);
    const concerns = { mailingId: MAILING, recipientId: RECIPIENT };
    expect(verifyToken(keyring, 'click', fixed.slice(`${base}/c/`.length))).toEqual({ ...concerns, ordinal: 3 });
    expect(open(own)).toEqual({ content: { ...concerns, ordinal: 4 }, target: 'https://own.example/?a=1&b=%C3%BC' });
    expect(open(search)).toEqual({
      content: { ...concerns, ordinal: 5 },
      target: 'https://c.example/?q=Ann%20%26%20Bob#x',
    });
    expect(verifyToken(keyring, 'unsubscribe', unsubscribe.slice(`${base}/u/`.length))).toEqual({
      ...concerns,
      ordinal: 2,
    });
    const pixel = /<img src="([^"]*)"/.exec(mail.html)?.[1] ?? '';
    expect(verifyToken(keyring, 'pixel', pixel.slice(`${base}/o/`.length))).toEqual({ ...concerns, ordinal: 1 });
    for (const url of [fixed, own, search, unsubscribe]) expect(mail.text).toContain(`<${url}>`);
  });

  it.each([
    null,
    '',
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)//https://x.example',
    'data:text/html,x',
    '//x.example',
    'ftp://x.example',
    'http:x.example',
    'https://',
    'https://a.example/\r\nSet-Cookie: x',
    ' java\nscript:x',
    `https://a.example/${'x'.repeat(6000)}`,
  ])('leads nowhere when its target is %j', async (value) => {
    const mail = await receive({ html: '<a href="{{ Link }}">B</a><img src="{{ Link }}/x.png">' }, [null, null, value]);
    expect(hrefs(mail.html)).toEqual(['#']);
    if (value === null || value.length < 100) expect(mail.html).toContain('<img src="#">');
  });

  it('that is not counted stands as it is', async () => {
    const change = { html: '<a href="{{ Link }}&b">B</a>', linkTracking: false };
    const mail = await receive(change, [null, null, ' https://a.example/?"a"=1&c ']);
    expect(mail.html).toContain('<a href="https://a.example/?%22a%22=1&amp;c&amp;b">');
    expect(mail.text).toBe('B <https://a.example/?%22a%22=1&c&b>\n');
  });
});

describe('a hostile value', () => {
  it('stays one text or one attribute in HTML', async () => {
    const html =
      '<body><p>{{ First name }}</p><i title="{{ First name }}"></i><i title=\'{{ First name }}\'></i><a data-track="off" href=\'https://x.example/?q={{ First name }}\'></a></body>';
    const renderer = rendererOf({ html, text: 'x' });
    await fc.assert(
      fc.asyncProperty(nasty, async (value) => {
        const { data } = renderer.render({ id: 1n, email: 'a@b.example', fields: [null, value] }, DATE);
        checkWire(data);
        const page = ((await PostalMime.parse(data)).html ?? '').replace(/\r\n/g, '\n');
        const body = parse(page).childNodes.flatMap((node) => ('childNodes' in node ? node.childNodes : []))[1];
        const elements =
          body && 'childNodes' in body ? body.childNodes.filter((node) => node.nodeName !== '#text') : [];
        const attributes = elements.map((node) =>
          'attrs' in node ? node.attrs.map(({ name, value: held }) => [name, held]) : [],
        );
        expect(elements.map(({ nodeName }) => nodeName)).toEqual(['p', 'i', 'i', 'a', 'img']);
        const [paragraph] = elements;
        const texts = paragraph && 'childNodes' in paragraph ? paragraph.childNodes : [];
        const expected = visible(value);
        expect(texts.map((node) => ('value' in node ? node.value : node.nodeName))).toEqual(
          expected === '' ? [] : [expected],
        );
        expect(attributes.slice(1, 3)).toEqual([[['title', expected]], [['title', expected]]]);
        const href = attributes[3]?.[0]?.[1] ?? '';
        expect(attributes[3]).toHaveLength(1);
        expect(new URL(href).searchParams.get('q')).toBe(value.replace(/\p{Surrogate}/gu, '\ufffd'));
      }),
      { numRuns: 300 },
    );
  });

  it('stays a text in the text part and in headers', async () => {
    const renderer = rendererOf({
      subject: 'A {{ First name }} Z',
      fromName: '{{ First name }} Shop',
      text: 'A {{ First name }}Z\nend\n',
    });
    await fc.assert(
      fc.asyncProperty(nasty, async (value) => {
        const { data } = renderer.render({ id: 1n, email: 'a@b.example', fields: [null, value] }, DATE);
        checkWire(data);
        const mail = await PostalMime.parse(data);
        expect(readText(mail)).toBe(`A ${visible(value)}Z\nend\n`);
        expect(mail.headers.map(({ key }) => key)).toEqual([
          ...['date', 'from', 'to', 'subject', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post', 'list-id'],
          ...['feedback-id', 'precedence', 'mime-version', 'content-type'],
        ]);
        const line = value
          .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
          .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g, '')
          .replace(/\p{Surrogate}/gu, '\ufffd');
        expect(squeezed(mail.subject)).toBe(squeezed(`A ${line} Z`));
        expect(mail.from).toMatchObject({ address: 'shop@example.com' });
        expect(squeezed(mail.from?.name)).toBe(squeezed(`${line} Shop`));
      }),
      { numRuns: 300 },
    );
  });

  it('that looks like an encoded word stays as it is', async () => {
    const mail = await receive({ subject: '{{ First name }}', fromName: '{{ First name }}' }, [
      null,
      '=?UTF-8?B?PGI+?=',
    ]);
    expect([mail.subject, mail.from?.name]).toEqual(['=?UTF-8?B?PGI+?=', '=?UTF-8?B?PGI+?=']);
  });

  it('is no address', () => {
    const renderer = rendererOf({});
    for (const email of ['', 'a', 'a@b.example\r\nBcc: c@d.example', 'a@b.example, c@d.example', '<a@b.example>'])
      expect(() => renderer.render({ id: 1n, email, fields: [] }, DATE)).toThrow(RenderError);
  });
});

it('NULL and missing values are nothing', async () => {
  const mail = await receive(
    { subject: 'a{{ First name }}b', html: '{{ Email }}{{ Link }}', text: '[{{ First name }}{{ Link }}]' },
    [null],
  );
  expect(mail.subject).toBe('ab');
  expect(mail.text).toBe('[]\n');
});

it('options that could not stand in a header are refused', () => {
  for (const bad of [
    { publicUrl: 'https://x.example/"><b>' },
    { publicUrl: 'javascript:x' },
    { returnPathDomain: 'x.example\r\nBcc: a' },
    { listId: 'a b' },
    { listUnsubscribeMailto: 'a' },
  ])
    expect(() => rendererOf({}, bad)).toThrow(RangeError);
});
