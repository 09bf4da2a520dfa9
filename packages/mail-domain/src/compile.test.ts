import { describe, expect, it } from 'vitest';
import { compileMail, type MailSource, TemplateError, type TemplateProblem } from './index.js';

const FIELDS = ['Email', 'First name', 'Link', 'Größe'];

function compile(change: Partial<MailSource>) {
  return compileMail({
    fields: FIELDS,
    subject: 'Hello',
    fromName: 'Shop',
    fromAddress: 'shop@example.com',
    replyTo: null,
    html: '<p>Hello</p>',
    text: null,
    linkTracking: true,
    ...change,
  });
}

function problems(change: Partial<MailSource>): readonly TemplateProblem[] {
  try {
    compile(change);
  } catch (error) {
    if (error instanceof TemplateError) return error.problems;
    throw error;
  }
  return [];
}

/** The HTML program without the pixel, which stands last in most of these. */
const html = (source: string, change: Partial<MailSource> = {}) => {
  const segments = compile({ ...change, html: source }).html;
  const text = segments.map((s) => (typeof s === 'string' ? s : `⟦${JSON.stringify(s).replaceAll('"', '')}⟧`)).join('');
  return text.replace('<img src="⟦{link:1}⟧" width="1" height="1" alt="">', '⟦pixel⟧').replace(/⟧\n$/, '⟧');
};

describe('a placeholder in HTML is escaped for where it stands', () => {
  it.each([
    ['text', '<p>{{ First name }}!</p>', '<p>⟦{field:1,escape:html}⟧!</p>⟦pixel⟧'],
    ['any case, any spaces', '<p>{{FIRST\n  NAME}}</p>', '<p>⟦{field:1,escape:html}⟧</p>⟦pixel⟧'],
    ['references in a name', '<p>{{ Gr&ouml;&szlig;e }}</p>', '<p>⟦{field:3,escape:html}⟧</p>⟦pixel⟧'],
    ['title', '<title>{{ Email }}</title>', '<title>⟦{field:0,escape:html}⟧</title>⟦pixel⟧'],
    ['attribute', `<p title='{{ Email }}'>x</p>`, `<p title='⟦{field:0,escape:attribute}⟧'>x</p>⟦pixel⟧`],
    ['inside a URL', '<img src="/i/{{ Email }}.png">', '<img src="/i/⟦{field:0,escape:url}⟧.png">⟦pixel⟧'],
    ['start of a URL', '<img src="{{ Link }}.png">', '<img src="⟦{url:[{field:2,escape:url-start},.png]}⟧">⟦pixel⟧'],
    ['mailto', '<a href="mailto:{{ Email }}">x</a>', '<a href="mailto:⟦{field:0,escape:url}⟧">x</a>⟦pixel⟧'],
    ['unsubscribe link', '<a href=" {{ Unsubscribe_URL }} ">x</a>', '<a href="⟦{link:2}⟧">x</a>⟦pixel⟧'],
    ['unsubscribe in text', '<p>{{ unsubscribe_url }}</p>', '<p>⟦{link:2}⟧</p>⟦pixel⟧'],
    [
      'Outlook only',
      '<!--[if mso]><td title="{{ Email }}">{{ Email }}<![endif]-->',
      '<!--[if mso]><td title="⟦{field:0,escape:attribute}⟧">⟦{field:0,escape:html}⟧<![endif]-->⟦pixel⟧',
    ],
    [
      'all but Outlook',
      '<!--[if !mso]><!--><b>{{ Email }}</b><!--<![endif]-->',
      '<!--[if !mso]><!--><b>⟦{field:0,escape:html}⟧</b><!--<![endif]-->⟦pixel⟧',
    ],
    [
      'text that a table moves',
      '<table>{{ Email }}<tr title="{{ Link }}"><td>{{ Email }}</table>',
      '<table>⟦{field:0,escape:html}⟧<tr title="⟦{field:2,escape:attribute}⟧"><td>⟦{field:0,escape:html}⟧</table>⟦pixel⟧',
    ],
    [
      'a tag that the tree drops',
      '<p><tr title="{{ Email }}"></p>',
      '<p><tr title="⟦{field:0,escape:attribute}⟧"></p>⟦pixel⟧',
    ],
  ])('%s', (_name, source, expected) => {
    expect(html(source)).toBe(expected);
  });

  it('leaves every other byte as it is', () => {
    const odd =
      '<!DOCTYPE html>\n<HTML><body bgcolor=red><P align = "x"  >a &amp b<br/><td></P>\n\n</BODY >\n</html>\n';
    expect(html(odd)).toBe(odd.replace('</BODY', '⟦pixel⟧</BODY'));
  });
});

describe('a placeholder that no value is safe in', () => {
  it.each([
    ['an unquoted attribute', '<p title={{Email}}>x', 'unquoted attribute title'],
    ['an unquoted attribute with spaces', '<p title={{ Email }}>x', 'unquoted attribute title'],
    ['an attribute name', '<p {{Email}}="x">x', 'in the tag <p>'],
    ['a second attribute of that name', '<p title="a" title="{{Email}}">x', 'in the tag <p>'],
    ['a tag name', '<{{ Email }}>x', 'name of a tag'],
    ['the end of a title', '<title>x</ti{{ Email }}>', 'name of a tag'],
    ['the end of a tag name', '<p{{ Email }}>x', 'in the tag <p>'],
    ['an end tag', '<p></p {{ Email }}>x', 'in a tag'],
    ['a comment', '<!-- {{ Email }} -->', 'in a comment'],
    ['a doctype', '<!DOCTYPE {{Email}}>', 'declaration'],
    ['a script', '<script>var a = "{{ Email }}"</script>', 'in <script>'],
    ['a style sheet', '<style>a { color: {{ Email }} }</style>', 'in <style>'],
    ['a style sheet for Outlook', '<!--[if mso]><style>{{ Email }}</style><![endif]-->', 'in <style>'],
    ['an event handler', '<p onclick="x(\'{{ Email }}\')">x', 'event handler onclick'],
    ['a style attribute', '<p style="color: {{ Email }}">x', 'style attribute'],
    ['a document in an attribute', '<iframe srcdoc="{{ Email }}"></iframe>', 'attribute srcdoc'],
    ['a refresh', '<meta http-equiv="refresh" content="0;url={{ Link }}">', 'attribute content'],
    ['an animation', '<svg><a><set attributeName="href" to="{{ Link }}"/></a></svg>', 'in <set>'],
    ['tags within the braces', '<p>{{ First <b>name</b> }}</p>', 'list has no'],
    ['a tag that is never closed', '<p title="{{ Email }}"', 'unfinished tag'],
    ['a list of pictures', '<img srcset="/a.png 1x, {{ Link }} 2x">', 'cannot start with'],
    ['half an unsubscribe link', '<a href="https://x.example/{{ unsubscribe_url }}">x</a>', 'whole link'],
    ['an unsubscribe link in a title', '<p title="{{ unsubscribe_url }}">x', 'cannot stand in title'],
  ])('%s', (_name, source, message) => {
    if (message === 'list has no') return expect(problems({ html: source })).not.toEqual([]);
    expect(problems({ html: source })).toEqual([
      expect.objectContaining({
        part: 'html',
        message: expect.stringContaining(message),
        remedy: expect.stringMatching(/.\.$/),
      }),
    ]);
  });
});

describe('problems', () => {
  it('come all at once, each with its place and what to do', () => {
    const all = problems({
      subject: 'Hi {{ Firstname }}',
      fromName: '{{ unsubscribe_url }}',
      fromAddress: 'Shop <shop@example.com>',
      replyTo: '{{ Nobody }}',
      html: '<p>\n  {{ Fist name }} {{ Email | uper }}\n{% include "x" %}{{ Emai\n</p>',
      text: '{{ Shoe size }}',
    });
    expect(all.map(({ part, line, column }) => `${part} ${line}:${column}`)).toEqual([
      'subject 1:4',
      'fromName 1:1',
      'fromAddress 1:1',
      'replyTo 1:1',
      'html 2:3',
      'html 2:19',
      'html 3:1',
      'html 3:18',
      'text 1:1',
    ]);
    const of = (at: number) => `${all[at]?.message} ${all[at]?.remedy}`;
    expect(of(0)).toBe('The list has no field "Firstname". Did you mean {{ First name }}?');
    expect(of(5)).toBe('There is no function "uper". Did you mean upper?');
    expect(of(6)).toContain('{% include %} is not supported');
    expect(of(7)).toContain('not closed');
    expect(of(8)).toContain('Use one of: Email, First name, Link, Größe, unsubscribe_url, web_version_url.');
  });

  it.each([
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="&#106;avascript:x">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<form action="VBScript:x"></form>',
    '<svg><a xlink:href="javascript:x">x</a></svg>',
    '<!--[if mso]><a href="javascript:x">x</a><![endif]-->',
  ])('are URLs that run code: %s', (source) => {
    expect(problems({ html: source })).toEqual([
      expect.objectContaining({ message: expect.stringContaining('runs code') }),
    ]);
  });

  it('are links that lead nowhere, and more links than a mail can have', () => {
    expect(problems({ html: '<a href="https://">x</a>' })).toHaveLength(1);
    const links = (count: number) => '<a href="https://x.example">x</a>'.repeat(count);
    expect(problems({ html: links(997) })).toEqual([]);
    expect(problems({ html: links(1100) })).toEqual([
      expect.objectContaining({ message: expect.stringContaining('997') }),
    ]);
  });
});

describe('links', () => {
  const linksOf = (source: string, change: Partial<MailSource> = {}) =>
    compile({ ...change, html: source })
      .links.slice(2)
      .map(({ ordinal, name, url, personalised }) => [ordinal, name, url, personalised]);

  it('are counted from 3 in the order of the document, each occurrence for itself', () => {
    const source = [
      '<a href="https://a.example/?x=1&amp;y=2" title="First">A</a>',
      '<!--[if mso]><a href="https://a.example/">Outlook</a><![endif]-->',
      '<map><area href="http://b.example" alt="Map"></map>',
      "<a href='https://a.example/?x=1&amp;y=2'><b>Buy\n now</b></a>",
      '<a data-link-name="own" href=https://c.example title="t">x</a>',
      '<a href="https://d.example/"><img src="x.png" alt="Picture"></a>',
      '<a href="https://e.example/"></a>',
    ].join('\n');
    expect(linksOf(source)).toEqual([
      [3, 'First', 'https://a.example/?x=1&y=2', false],
      [4, 'Outlook', 'https://a.example/', false],
      [5, 'Map', 'http://b.example', false],
      [6, 'Buy now', 'https://a.example/?x=1&y=2', false],
      [7, 'own', 'https://c.example', false],
      [8, 'Picture', 'https://d.example/', false],
      [9, 'https://e.example/', 'https://e.example/', false],
    ]);
    expect(html(source)).toContain('<a href="⟦{link:7}⟧" title="t">x</a>');
    expect(html(source)).toContain('<![endif]-->\n<map><area href="⟦{link:5}⟧" alt="Map">');
  });

  it('are personalised when a value is in them', () => {
    expect(linksOf('<a href="https://a.example/{{ Email }}?a=1&amp;b={{First name}}">Hi {{ First name }}</a>')).toEqual(
      [[3, 'Hi {{ First name }}', 'https://a.example/{{ Email }}?a=1&b={{First name}}', true]],
    );
    expect(compile({ html: '<a href=" {{ Link }}/x">x</a>' }).links[2]?.target).toEqual([
      { field: 2, escape: 'url-start' },
      '/x',
    ]);
  });

  it('are left alone when nobody can count them, or nobody wants to', () => {
    const others =
      '<a href="mailto:a@b.example">m</a><a href="#top">t</a><a href="tel:1">t</a><a>n</a><link href="https://x.example">';
    expect(html(others)).toBe(`${others}⟦pixel⟧`);
    expect(html('<a data-track="off" href="https://x.example">x</a>')).toBe('<a href="https://x.example">x</a>⟦pixel⟧');
    expect(html('<a href="{{ Link }}"\n data-track=OFF>x</a>')).toBe(
      '<a href="⟦{url:[{field:2,escape:url-start}]}⟧">x</a>⟦pixel⟧',
    );
    const off = { linkTracking: false };
    expect(html('<a href="https://x.example">x</a>', off)).toBe('<a href="https://x.example">x</a>⟦pixel⟧');
    expect(html('<a href="{{ unsubscribe_url }}">x</a>', off)).toBe('<a href="⟦{link:2}⟧">x</a>⟦pixel⟧');
  });

  it('lead to a URL that a Location header takes', () => {
    expect(linksOf('<a href=" https://bücher.example/ä b ">x</a>')).toEqual([
      [3, 'x', 'https://xn--bcher-kva.example/%C3%A4%20b', false],
    ]);
  });

  it('have names of at most 255 characters', () => {
    const [link] = linksOf(`<a href="https://x.example">${'😀'.repeat(300)}</a>`);
    expect([...String(link?.[1])]).toHaveLength(255);
  });
});

describe('the text part', () => {
  it('is made from the HTML, with its links and values', () => {
    const source = [
      '<html><head><title>no</title><style>p{}</style></head><body><div style="display:none">preview</div>',
      '<h1>Hello {{ First name }} &amp; all</h1><p title="{{ Email }}">A&nbsp;<b>new</b>',
      'line <a href="https://a.example">Shop</a> <a data-track="off" href="{{ Link }}">own</a>',
      '<a data-track="off" href="https://b.example/?q={{ Email }}">search</a>',
      '<img src="https://x.example/x.png" alt="Picture of {{ First name }}"></p>',
      '<!--[if mso]><p>Outlook</p><![endif]-->',
      '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>',
    ].join('\n');
    expect(compile({ html: source }).text).toEqual([
      'Hello ',
      { field: 1, escape: 'text' },
      ' & all\n\nA\u00a0new line Shop <',
      { link: 3 },
      '> own <',
      { url: [{ field: 2, escape: 'url-start' }] },
      '> search <https://b.example/?q=',
      { field: 0, escape: 'url' },
      '> Picture of ',
      { field: 1, escape: 'text' },
      '\n\nUnsubscribe <',
      { link: 2 },
      '>\n',
    ]);
  });

  it('that an author wrote has links of its own', () => {
    const mail = compile({
      html: '<a href="https://a.example">A</a>',
      text: 'Hi {{ First name }},\r\n(see https://a.example/x_(y)), https://b.example/?q={{ First name }}&z=1.\n{{ unsubscribe_url }} https://',
    });
    expect(mail.text).toEqual([
      'Hi ',
      { field: 1, escape: 'text' },
      ',\n(see ',
      { link: 4 },
      '), ',
      { link: 5 },
      '.\n',
      { link: 2 },
      ' https://\n',
    ]);
    expect(mail.links.slice(3).map(({ name, url, personalised }) => [name, url, personalised])).toEqual([
      ['https://a.example/x_(y)', 'https://a.example/x_(y)', false],
      ['https://b.example/?q={{ First name }}&z=1', 'https://b.example/?q={{ First name }}&z=1', true],
    ]);
    const untracked = compile({ linkTracking: false, text: 'https://b.example/?q={{ Email }}' });
    expect(untracked.text).toEqual(['https://b.example/?q=', { field: 0, escape: 'url' }, '\n']);
  });
});

it('a program survives JSON and holds nothing that PostgreSQL refuses in jsonb', () => {
  const mail = compile({ subject: 'a\0b\ud800c {{ Email }}', html: '\ufeff<p>\0\udc00</p>' });
  expect(JSON.parse(JSON.stringify(mail))).toEqual(mail);
  expect(JSON.stringify(mail)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
});
