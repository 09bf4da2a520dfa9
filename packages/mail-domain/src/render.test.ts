import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'parse5';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { openTarget, RenderError, verifyToken } from './index.js';
import {
  base,
  checkWire,
  DATE,
  inHeader,
  keyring,
  MAILING,
  nasty,
  RECIPIENT,
  readText,
  receive,
  rendererOf,
  send,
  squeezed,
  visible,
} from './testing/sent-mail.js';

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
        const line = inHeader(value);
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
