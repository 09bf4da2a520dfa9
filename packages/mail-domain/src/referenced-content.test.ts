import fc from 'fast-check';
import { parseFragment } from 'parse5';
import { describe, expect, it } from 'vitest';
import { type ContentKind, NO_DATA, needsOf, type ReferencedContent, type RenderData } from './index.js';
import { safeHtml } from './safe-html.js';
import {
  bytesOf,
  type Change,
  nasty,
  problemsOf,
  programOf,
  RECIPIENT,
  receive,
  rendererOf,
} from './testing/sent-mail.js';

const PIXELS = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64');
const content = (text: string | Buffer, mediaType: string, charset: string | null = null): ReferencedContent => ({
  bytes: Buffer.from(text),
  mediaType,
  charset,
});

const SERVER: Record<string, ReferencedContent> = {
  'https://c.example/text': content('Grüße & <b>more</b>', 'text/plain'),
  'https://c.example/latin': content(Buffer.from('Grüße', 'latin1'), 'text/plain', 'iso-8859-1'),
  'https://c.example/html': content('<p onclick="x()">Hi <b>you</b><script>x()</script></p>', 'text/html'),
  'https://c.example/a.png': content(PIXELS, 'image/png'),
  'https://c.example/b.png': content(PIXELS, 'image/png'),
  'https://c.example/x.svg': content('<svg onload="x()"/>', 'image/svg+xml'),
  'https://c.example/Rechnung%20M%C3%A4rz.pdf': content('%PDF-1.7', 'application/pdf'),
};
const asked: [string, ContentKind][] = [];
const DATA: RenderData = {
  ...NO_DATA,
  content: (url, kind) => {
    asked.push([url, kind]);
    return SERVER[url];
  },
};
const LIST: Change = { fields: ['Url', 'Other'] };
const get = (change: Change, ...values: (string | null)[]) => receive({ ...LIST, ...change }, values, { data: DATA });

describe('referenced content', () => {
  it('as text is a text wherever it stands', async () => {
    const html = '<p title="{{ Url | content }}">{{ Url | content }}</p>';
    const mail = await get({ html, subject: '{{ Url | content }}' }, ' https://c.example/text ');
    expect(mail.html).toContain(
      '<p title="Grüße &amp; &lt;b&gt;more&lt;/b&gt;">Grüße &amp; &lt;b&gt;more&lt;/b&gt;</p>',
    );
    expect([mail.text, mail.subject]).toEqual(['Grüße & <b>more</b>\n', 'Grüße & <b>more</b>']);
    expect(asked).toContainEqual(['https://c.example/text', 'text']);
    expect((await get({ text: '{{ Url | content }}' }, 'https://c.example/latin')).text).toBe('Grüße\n');
  });

  it('as HTML is a fragment without what could run, and a text in the text part', async () => {
    const mail = await get({ html: '<div>{{ Url | content_html }}</div>' }, 'https://c.example/html');
    expect(mail.html).toContain('<div><p>Hi <b>you</b></p></div>');
    expect(mail.text).toBe('Hi you\n');
  });

  it('as a picture is a part of the mail, once, that the HTML shows', async () => {
    const html =
      '<img src="{{ Url | picture }}" alt="A"><table background="{{ Other | picture }}"></table><img src="{{ Url | picture }}">';
    const mail = await get({ html }, 'https://c.example/a.png', 'https://c.example/b.png');
    const shown = [...mail.html.matchAll(/(?:src|background)="cid:([^"]*)"/g)].map(([, id]) => `<${id}>`);
    expect(mail.attachments.map(({ contentId }) => contentId)).toEqual([shown[0], shown[1]]);
    expect(shown[2]).toBe(shown[0]);
    expect(mail.attachments[0]).toMatchObject({ mimeType: 'image/png', disposition: 'inline', related: true });
    expect(bytesOf(mail.attachments[0])).toEqual(PIXELS);
    expect(mail.header('content-type')[0]).toContain('multipart/alternative');
  });

  it('as an attachment is a file of the mail, once, and nothing in the text', async () => {
    const html = '<p>[{{ Url | attachment }}]</p>';
    const mail = await get({ html }, 'https://c.example/Rechnung%20M%C3%A4rz.pdf');
    expect(mail.attachments).toMatchObject([
      { filename: 'Rechnung März.pdf', mimeType: 'application/pdf', disposition: 'attachment' },
    ]);
    expect([mail.html, mail.text]).toEqual([expect.stringContaining('<p>[]</p>'), '[]\n']);
    expect(mail.header('content-type')[0]).toContain('multipart/mixed');
  });

  it('in a block is asked for only where the mail has it', async () => {
    const html = '{% if Other %}<img src="{{ Url | picture }}">{{ Url | attachment }}{% endif %}x';
    const mail = await get({ html }, 'https://c.example/a.png', null);
    expect(mail.attachments).toEqual([]);
    expect(mail.header('content-type')[0]).toContain('multipart/alternative');
  });

  it('stands in the web version itself', () => {
    const renderer = rendererOf({ ...LIST, html: '<img src="{{ Url | picture }}">' });
    const page = renderer.renderPage({ id: RECIPIENT, fields: ['https://c.example/a.png'] }, DATA);
    expect(page).toContain(`<img src="data:image/png;base64,${PIXELS.toString('base64')}">`);
  });

  it.each(['https://c.example/gone', 'https://c.example/x.svg'])('that is not there: %s', async (url) => {
    const html = '<p>{{ Other }}<img src="{{ Url | picture }}"></p>';
    expect((await get({ html }, url, 'x')).html).toContain('<p>x<img src=""></p>');
    const strict = { html, settings: { missingContent: 'do_not_send' as const } };
    await expect(get(strict, url, 'x')).rejects.toThrow(`The picture at ${url} is not there.`);
    expect((await get(strict, null, 'x')).html).toContain('<img src="">');
  });

  it('that is not there has a text in its place, if the author wrote one', async () => {
    const change = { html: '<p>{{ Url | content }} {{ Url | content_html }}<img src="{{ Url | picture }}"></p>' };
    const mail = await get({ ...change, settings: { missingContent: { default: 'A & B' } } }, 'https://c.example/gone');
    expect(mail.html).toContain('<p>A &amp; B A &amp; B<img src=""></p>');
    expect(mail.text).toBe('A & B A & B\n');
  });

  it('is named by the program', () => {
    const program = programOf({
      ...LIST,
      subject: '{{ Url | content }}',
      html: '{{ Url | content }}{{ Other | attachment }}<img src="{{ Url | picture }}">',
    });
    expect(needsOf(program, [' https://a.example ', null]).content).toEqual([
      { url: 'https://a.example', kind: 'text' },
      { url: 'https://a.example', kind: 'picture' },
    ]);
  });

  it.each([
    [{ subject: '{{ Url | content_html }}' }, 'cannot stand in a header'],
    [{ subject: '{{ Url | attachment }}' }, 'cannot stand in a header'],
    [{ text: '{{ Url | picture }}' }, 'cannot stand in the text part'],
    [{ html: '<img src="https://x.example/{{ Url | picture }}">' }, 'cannot be a part of a URL'],
    [{ html: '{{ Url | content | upper }}' }, '"content" cannot stand here'],
  ])('is refused elsewhere: %j', (change, message) => {
    expect(problemsOf({ ...LIST, ...change })[0]?.message).toContain(message);
  });
});

describe('a fragment of HTML', () => {
  it.each([
    ['<p class="a" style="color:red">x</p>', '<p class="a" style="color:red">x</p>'],
    ['<a href="https://a.example" onclick="x" target="_blank">x</a>', '<a href="https://a.example">x</a>'],
    ['<a href="java\tscript:x">x</a><a href="#a">y</a><a href="/a">z</a>', '<a>x</a><a href="#a">y</a><a>z</a>'],
    ['<img src="data:image/svg+xml,x"><img src="http://a.example/x">', '<img><img src="http://a.example/x">'],
    ['a<script>b</script><style>c</style><iframe src=x>d</iframe>e', 'ae'],
    ['<svg><a xlink:href="javascript:x"><text>x</text></a></svg>y', 'y'],
    ['<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>', ''],
    ['<form action="x">a<input></form><button>b</button>', ''],
    ['<article><custom-x>a <b>b</b></custom-x></article><!-- c -->', 'a <b>b</b>'],
    [
      '<p style="background:url(x)">a<p style="x:exp\\72 ession(1)">b<p style="position:fixed">c',
      '<p>a</p><p>b</p><p>c</p>',
    ],
    ['<table><tr><td>a', '<table><tbody><tr><td>a</td></tr></tbody></table>'],
    ['</td></table></div>a &lt;script>', 'a &lt;script&gt;'],
  ])('%s', (fragment, expected) => {
    expect(safeHtml(fragment)).toBe(expected);
  });

  it('is safe whatever it is, and clean when it is cleaned again', () => {
    const markup = fc.array(
      fc.oneof(
        nasty,
        fc.constantFrom(
          ...['<svg>', '</svg>', '<math>', '<mtext>', '<style>', '</style>', '<template>', '<noscript>', '<title>'],
          ...[
            '<p>',
            '</p>',
            '<table>',
            '<td>',
            '<a href="',
            'javascript:x',
            '">',
            '<img src=x onerror=x>',
            '<!--',
            '-->',
          ],
          ...['<b>', '</b>', '<form>', '<select>', '<plaintext>', '<![CDATA[', ']]>', '<foreignObject>', '<xmp>'],
        ),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(markup, (pieces) => {
        const safe = safeHtml(pieces.join(''));
        const left: string[] = [];
        const visit = (node: {
          nodeName: string;
          attrs?: { name: string; value: string }[];
          childNodes?: unknown[];
        }) => {
          left.push(node.nodeName, ...(node.attrs ?? []).map(({ name, value }) => `${name}=${value}`));
          for (const child of node.childNodes ?? []) visit(child as typeof node);
        };
        visit(parseFragment(safe) as never);
        expect(
          left.filter((name) => /^(script|style|svg|math|iframe|form|template|#comment|on\w+=)$/i.test(name)),
        ).toEqual([]);
        expect(left.filter((name) => /^(href|src)=\s*(javascript|data|vbscript):/i.test(name))).toEqual([]);
        expect(safeHtml(safe)).toBe(safe);
      }),
      { numRuns: 500 },
    );
  });
});
