import { describe, expect, it } from 'vitest';
import { createLinkLister, createRenderer, NO_DATA, openTarget, type RenderData, verifyToken } from './index.js';
import {
  base,
  type Change,
  DATE,
  keyring,
  MAILING,
  OPTIONS,
  problemsOf,
  programOf,
  RECIPIENT,
  receive,
  rendererOf,
  type Values,
} from './testing/sent-mail.js';

const LIST: Change = { fields: ['First name', 'City', 'Link', 'Products'] };
const ANN: Values = ['Ann', 'Kraków', 'https://ann.example/', '1,2'];
const DATA: RenderData = {
  ...NO_DATA,
  product: (id) => ({ name: `No ${id}`, link: `https://shop.example/p/${id}` }),
};

/** The HTML without the pixel, which stands last. */
async function htmlOf(html: string, values: Values = ANN, change: Change = {}) {
  const mail = await receive({ ...LIST, ...change, html }, values, { data: DATA });
  return mail.html
    .replace(/<img src="https:\/\/track.example.com\/o\/[\w-]+" width="1" height="1" alt="">/, '')
    .trimEnd();
}

describe('blocks in HTML', () => {
  it.each([
    ['around elements', '{% if City %}<p>{{ City }}</p>{% else %}<b>none</b>{% endif %}', '<p>Kraków</p>'],
    [
      'of rows',
      '<table>{% for x in "a,b" | split: "," %}<tr><td>{{ x }}{% endfor %}</table>',
      '<table><tr><td>a<tr><td>b</table>',
    ],
    ['in an attribute', '<p class="{% if City %}a{% else %}b{% endif %}">x</p>', '<p class="a">x</p>'],
    ['in a URL', '<img src="/{% if City %}{{ City }}{% else %}x{% endif %}.png">', '<img src="/Krak%C3%B3w.png">'],
    [
      'that choose a URL',
      '<img src="{% if City %}{{ Link }}{% else %}https://x.example/{% endif %}a.png">',
      '<img src="https://ann.example/a.png">',
    ],
    ['in a title', '<title>{% if City %}a{% else %}b{% endif %}</title>', '<title>a</title>'],
    ['for Outlook', '<!--[if mso]>{% if City %}<b>x</b>{% endif %}<![endif]-->', '<!--[if mso]><b>x</b><![endif]-->'],
    [
      'around what MJML opens and closes for Outlook',
      '{% if City %}<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->{% endif %}',
      '<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->',
    ],
    [
      'with quotation marks of their own in an attribute',
      '<p title="{{ Nope | default: "it\'s" }}">x</p>',
      '<p title="it&#39;s">x</p>',
    ],
    ['with signs written as references', '{% if First name &lt; &quot;B&quot; %}a{% endif %}', 'a'],
    ['with a sign of HTML', '{% if First name <"B" %}<i>{{ City }}</i>{% endif %}', '<i>Kraków</i>'],
    [
      'that hide a comment of the author',
      '<p>{% comment %}<a href="https://x.example">{% endcomment %}</p>',
      '<p></p>',
    ],
    ['in a comment', '<p><!-- {% comment %} x {% endcomment %} --></p>', '<p><!--  --></p>'],
  ])('%s', async (_name, template, expected) => {
    expect(await htmlOf(template.replace('Nope', 'Products'), template.includes('Nope') ? ['Ann'] : ANN)).toBe(
      expected,
    );
  });

  it.each([
    ['an element opened in a branch', '{% if City %}<div>{% endif %}x</div>', '<div> is opened in a block'],
    ['an element closed in a branch', '<div>{% if City %}</div>{% endif %}', '</div> closes what was opened outside'],
    ['elements crossing branches', '{% if City %}<b>{% else %}</b>{% endif %}', 'opened in a block'],
    ['a tag around attributes', '<p {% if City %}class="a"{% endif %}>x</p>', 'outside an attribute value'],
    ['half a value', '<p title="{% if City %}">x</p><p title="{% endif %}">', 'opens in one place'],
    ['text and attribute', '{% if City %}<p title="{% endif %}">x</p>', 'opens in one place'],
    ['two attributes', '<p title="{% if City %}" class="{% endif %}">x</p>', 'opens in one place'],
    ['a conditional comment', '{% if City %}<!--[if mso]>{% endif %}<b></b><![endif]-->', 'opens in one place'],
    ['a script', '<script>{% if City %}x{% endif %}</script>', 'in <script>'],
    ['a script that a branch opens', '{% if City %}<script>{% endif %}</script>', 'in <script>'],
    ['a style that a branch closes', '<style>{% if City %}</style>{% endif %}', 'in <style>'],
    ['a title that a branch closes', '<title>{% if City %}</title>{% endif %}', 'closes what was opened outside'],
    ['a comment', '<!-- {% if City %} --> {% endif %}', 'in a comment'],
    ['a comment that a branch opens', '{% if City %}<!--{% endif %}-->', 'in a comment'],
    ['a tag that two branches make', '{% if City %}<{% endif %}b>', 'name of a tag'],
    ['an end tag made of pieces', '<title>x</{% if City %}title{% endif %}></title>', 'name of a tag'],
    ['an unquoted attribute', '<p class={% if City %}a{% endif %}>x', 'unquoted attribute class'],
    ['a list of pictures', '<img srcset="{% if City %}a.png 1x{% endif %}">', 'cannot start with'],
    ['a picture in text', '<p>{{ Link | picture }}</p>', 'cannot stand in text'],
    ['a fragment in an attribute', '<p title="{{ Link | content_html }}">', 'cannot stand in title'],
    ['content in a URL', '<a href="https://x.example/{{ Link | content }}">x</a>', 'cannot be a part of a URL'],
    ['half a web version link', '<a href="{{ web_version_url }}/x">x</a>', 'whole link'],
  ])('are refused where a branch would change what follows: %s', (_name, html, message) => {
    const problems = problemsOf({ ...LIST, html: `<i>\n</i>${html}` });
    expect(problems[0]).toMatchObject({ part: 'html', line: 2, remedy: expect.stringMatching(/.[.!…]$/) });
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message);
  });

  it('are told with the place where the piece stands', () => {
    expect(problemsOf({ ...LIST, html: '<p>\n{% if City %}\n  <div>\n{% endif %}</div></p>' })).toMatchObject([
      { line: 3, column: 3, message: '<div> is opened in a block and closed outside of it.' },
    ]);
  });
});

describe('the text part of HTML with blocks', () => {
  it('has the same blocks, and no lines for their tags', async () => {
    const html = [
      '{% assign who = First name | default: "friend" %}<html><head><title>t</title></head><body><p>Dear {{ who }},</p>',
      '{% if City %}',
      '<p>in {{ City }}</p>',
      '{% else %}',
      '<p>somewhere</p>',
      '{% endif %}',
      '<ul>{% for p in Products | products %}<li>{{ p.name }}</li>{% else %}<li>nothing</li>{% endfor %}</ul>',
      '<p>Bye</p></body></html>',
    ].join('\n');
    const textOf = async (values: Values) => (await receive({ ...LIST, html }, values, { data: DATA })).text;
    expect(await textOf(ANN)).toBe('Dear Ann,\n\nin Kraków\n\n * No 1\n * No 2\n\nBye\n');
    expect(await textOf([])).toBe('Dear friend,\n\nsomewhere\n\n * nothing\n\nBye\n');
  });

  it('cannot be made when a block is hidden in part', () => {
    const html = '{% for x in City %}<p style="display:none">x{% endfor %}';
    expect(problemsOf({ ...LIST, html })).toMatchObject([{ message: expect.stringContaining('No text part') }]);
  });
});

describe('links in blocks', () => {
  const html = [
    '<body>{% if City %}<a href="https://a.example/{{ City }}">A</a>{% else %}<a href="https://b.example/?{{ First name }}">B</a>{% endif %}',
    '{% for p in Products | products limit: 3 %}',
    '{% for n in "x,y" | split: "," limit: 2 %}<a href="{{ p.link }}?n={{ n }}" data-link-name="Product">{{ p.name }}</a>{% endfor %}',
    '<a href="https://c.example/">C</a><a data-track="off" href="{{ p.link }}">raw</a>{% endfor %}',
    '<a href="{{ Link }}">D</a></body>',
  ].join('');
  const tracked = { ...LIST, html };

  const clicks = (page: string) =>
    [...page.matchAll(new RegExp(`href="${base}/c/([\\w-]+)(?:/([\\w-]+))?"`, 'g'))].map(([, token = '', sealed]) => ({
      ordinal: verifyToken(keyring, 'click', token)?.ordinal,
      url: sealed === undefined ? null : openTarget(keyring, token, sealed),
    }));

  it('have an ordinal for every round, and lead where the round says', async () => {
    const mail = await receive(tracked, ANN, { data: DATA });
    const rounds = (id: number, first: number) => [
      { ordinal: first, url: `https://shop.example/p/${id}?n=x` },
      { ordinal: first + 1, url: `https://shop.example/p/${id}?n=y` },
      { ordinal: 11, url: null },
    ];
    expect(clicks(mail.html)).toEqual([
      { ordinal: 3, url: 'https://a.example/Krak%C3%B3w' },
      ...rounds(1, 5),
      ...rounds(2, 7),
      { ordinal: 12, url: 'https://ann.example/' },
    ]);
    expect(mail.html).toContain('<a href="https://shop.example/p/1">raw</a>');
    for (const [, url] of mail.html.matchAll(/href="(https:\/\/track[^"]*)"/g)) expect(mail.text).toContain(url);
  });

  it('may begin with a value for some and not for others', async () => {
    const html = '<a href="{% if City %}https://x.example/?q={% endif %}{{ Link }}">x</a>';
    const targetOf = async (values: Values) => clicks((await receive({ ...LIST, html }, values)).html)[0]?.url;
    expect(await targetOf(ANN)).toBe('https://x.example/?q=https%3A%2F%2Fann.example%2F');
    expect(await targetOf(['', null, 'https://ann.example/'])).toBe('https://ann.example/');
    expect(await targetOf(['', null, 'javascript:x'])).toBeUndefined();
  });

  it('are known to the database with all their rounds', () => {
    const { links } = programOf(tracked);
    expect(links.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(links.slice(4, 10)).toEqual(
      Array.from({ length: 6 }, () =>
        expect.objectContaining({ name: 'Product', url: '{{ p.link }}?n={{ n }}', personalised: true }),
      ),
    );
  });

  it('are listed for the links file exactly as the mail has them', async () => {
    const list = createLinkLister(programOf(tracked));
    for (const values of [ANN, ['Bob', null, 'javascript:x', '7'], []] as Values[]) {
      const mail = await receive(tracked, values, { data: DATA });
      const inMail = clicks(mail.html).filter(({ url }) => url !== null);
      expect(list(values, DATA).map(({ ordinal, url }) => ({ ordinal, url }))).toEqual(inMail);
    }
    expect(list(ANN, DATA)[1]).toEqual({ ordinal: 5, name: 'Product', url: 'https://shop.example/p/1?n=x' });
  });

  it('are too many when their rounds are', () => {
    const loop = (limit: number) =>
      `{% for a in City limit: 100 %}{% for b in City limit: ${limit} %}<a href="https://x.example/{{ b }}">x</a>{% endfor %}{% endfor %}`;
    expect(problemsOf({ ...LIST, html: loop(9) })).toEqual([]);
    expect(problemsOf({ ...LIST, html: loop(10) + loop(10) })).toMatchObject([
      { message: expect.stringContaining('997'), remedy: expect.stringContaining('limit: 3') },
    ]);
  });

  it('in an authored text part are whole inside a block', async () => {
    const text =
      '{% for p in Products | products %}{{ p.name }}: {{ p.link }} https://x.example/?q={{ p.name }}{% endfor %}';
    const mail = await receive({ ...LIST, html: 'x', text }, ANN, { data: DATA });
    expect(mail.text.match(/https:\/\/track\.example\.com\/c\/[\w-]+\/[\w-]+/g)).toHaveLength(2);
    expect(problemsOf({ ...LIST, text: 'https://x.example/{% if City %}a{% endif %}' })).toMatchObject([
      { message: 'A URL runs into a tag.', column: 19 },
    ]);
  });
});

describe('the web version', () => {
  const html =
    '<body>{% if City %}<a href="{{ web_version_url }}">Look</a>{% endif %} {{ web_version_url }}<p>{{ City }}</p></body>';

  it('has a link that names mailing and recipient', async () => {
    const mail = await receive({ ...LIST, html }, ANN);
    const [, token = ''] = /href="https:\/\/track\.example\.com\/w\/([\w-]+)"/.exec(mail.html) ?? [];
    expect(verifyToken(keyring, 'webVersion', token)).toMatchObject({ mailingId: MAILING, recipientId: RECIPIENT });
    expect(verifyToken(keyring, 'click', token)).toBeNull();
    expect(mail.text).toContain(`<${base}/w/${token}>`);
    expect(programOf({ ...LIST, html }).links.filter(({ purpose }) => purpose === 'web')).toHaveLength(1);
  });

  it('is the HTML of the mail without the pixel', async () => {
    const mail = await receive({ ...LIST, html }, ANN);
    const page = rendererOf({ ...LIST, html }).renderPage({ id: RECIPIENT, fields: ANN });
    expect(page.trimEnd()).toBe(mail.html.replace(/<img src="[^"]*\/o\/[^>]*>/, '').trimEnd());
  });
});

it('a program of before renders as ever', () => {
  const html = '<a href="{{ Link }}">{{ City }}</a>';
  const { booleanFields, settings, needs, ...kept } = programOf({ ...LIST, html, replyTo: 'a@b.example' });
  const old = { ...kept, version: 1 as const, replyTo: 'a@b.example' };
  const recipient = { id: RECIPIENT, email: 'ann@example.org', fields: ANN };
  expect(createRenderer(old, OPTIONS).render(recipient, DATE)).toEqual(
    rendererOf({ ...LIST, html, replyTo: 'a@b.example' }).render(recipient, DATE),
  );
  expect(createLinkLister(old)(ANN)).toEqual([{ ordinal: 3, name: '{{ City }}', url: 'https://ann.example/' }]);
});
