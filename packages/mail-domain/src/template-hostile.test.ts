import fc from 'fast-check';
import { parse } from 'parse5';
import PostalMime from 'postal-mime';
import { expect, it } from 'vitest';
import { NO_DATA, openTarget, RenderError } from './index.js';
import {
  base,
  checkWire,
  DATE,
  inHeader,
  keyring,
  nasty,
  readText,
  rendererOf,
  squeezed,
  visible,
} from './testing/sent-mail.js';

// What recipients and product data hold goes through functions, conditions and loops, and stays what it is: a text.

const LIST = { fields: ['Email', 'V', 'Products'] };
const OFTEN = { numRuns: 200 };

/** The value as it comes, by way of each construct of the language. */
const WAYS = [
  '{{ V | append: "" }}',
  '{{ "" | default: V }}',
  '{{ V | append: "." | slice: 0, 100000 | replace: "\u0001", "" | truncate: 100000 | split: "\u0002" | join | append: "" }}',
  '{% assign x = V %}{{ x }}',
  '{% for p in Products | products %}{{ p.name }}{% endfor %}',
  '{% for x in V | split: "\u0002" %}{{ x }}{% endfor %}',
  '{% if V == "\u0003" %}never{% else %}{{ V }}{% endif %}',
  '{% case V %}{% when "\u0003" %}never{% else %}{{ V | prepend: "" }}{% endcase %}',
];

const way = fc.constantFrom(...WAYS);
const dataOf = (value: string) => ({ ...NO_DATA, product: () => ({ name: value }) });
const mailOf = (renderer: ReturnType<typeof rendererOf>, value: string) =>
  renderer.render({ id: 1n, email: 'a@b.example', fields: ['', value, '1'] }, DATE, dataOf(value)).data;

/** Characters that one of the ways takes away or adds. */
const through = (template: string, value: string) =>
  template === WAYS[2] ? `${value}.`.replaceAll('\u0001', '') : value;
const isSplit = (value: string) => ['\u0001', '\u0002', '\u0003'].some((sign) => value.includes(sign));

const renderers = new Map<string, ReturnType<typeof rendererOf>>();
function rendererFor(template: string, make: () => ReturnType<typeof rendererOf>) {
  const known = renderers.get(template) ?? make();
  renderers.set(template, known);
  return known;
}

it('a hostile value stays one text and one attribute, whatever it goes through', async () => {
  await fc.assert(
    fc.asyncProperty(
      way,
      nasty.filter((value) => !isSplit(value)),
      async (template, value) => {
        const html = `<body><p>${template}</p><i title="${template.replaceAll('"', "'")}"></i><i title='${template}'></i></body>`;
        const renderer = rendererFor(html, () => rendererOf({ ...LIST, html, text: 'x' }));
        const data = mailOf(renderer, value);
        checkWire(data);
        const page = ((await PostalMime.parse(data)).html ?? '').replace(/\r\n/g, '\n');
        const body = parse(page).childNodes.flatMap((node) => ('childNodes' in node ? node.childNodes : []))[1];
        const elements =
          body && 'childNodes' in body ? body.childNodes.filter((node) => node.nodeName !== '#text') : [];
        expect(elements.map(({ nodeName }) => nodeName)).toEqual(['p', 'i', 'i', 'img']);
        const expected = visible(through(template, value));
        const texts = elements[0] && 'childNodes' in elements[0] ? elements[0].childNodes : [];
        expect(texts.map((node) => ('value' in node ? node.value : node.nodeName)).join('')).toBe(expected);
        for (const element of elements.slice(1, 3))
          expect('attrs' in element ? element.attrs.map(({ name, value: held }) => [name, held]) : []).toEqual([
            ['title', expected],
          ]);
      },
    ),
    OFTEN,
  );
});

it('a hostile value stays a text in the text part and in headers, whatever it goes through', async () => {
  await fc.assert(
    fc.asyncProperty(
      way,
      nasty.filter((value) => !isSplit(value)),
      async (template, value) => {
        const change = {
          ...LIST,
          subject: `A ${template} Z`,
          fromName: `${template} Shop`,
          text: `A ${template}Z\nend\n`,
        };
        const data = mailOf(
          rendererFor(`text ${template}`, () => rendererOf(change)),
          value,
        );
        checkWire(data);
        const mail = await PostalMime.parse(data);
        expect(readText(mail)).toBe(`A ${visible(through(template, value))}Z\nend\n`);
        expect(mail.headers.map(({ key }) => key)).toEqual([
          ...['date', 'from', 'to', 'subject', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post', 'list-id'],
          ...['feedback-id', 'precedence', 'mime-version', 'content-type'],
        ]);
        expect(mail.from).toMatchObject({ address: 'shop@example.com' });
        const line = inHeader(through(template, value));
        expect(squeezed(mail.subject)).toBe(squeezed(`A ${line} Z`));
        expect(squeezed(mail.from?.name)).toBe(squeezed(`${line} Shop`));
      },
    ),
    OFTEN,
  );
});

it('a hostile value stays one component of a URL, or is a whole http(s) URL, or leads nowhere', async () => {
  await fc.assert(
    fc.asyncProperty(
      way,
      nasty.filter((value) => !isSplit(value)),
      async (template, value) => {
        const html = `<body><a href='https://x.example/?q=${template}'>a</a><a href='${template}'>b</a><img src='${template}'></body>`;
        const data = mailOf(
          rendererFor(`url ${html}`, () => rendererOf({ ...LIST, html, text: 'x' })),
          value,
        );
        const page = (await PostalMime.parse(data)).html ?? '';
        const [first = '', second = ''] = [...page.matchAll(/href='([^']*)'/g)].map(([, url]) => url);
        const target = (url: string) => {
          const [, token = '', sealed = ''] = new RegExp(`^${base}/c/([\\w-]+)/([\\w-]+)$`).exec(url) ?? [];
          return openTarget(keyring, token, sealed);
        };
        const component = target(first);
        if (component === null) expect(Buffer.byteLength(encodeURIComponent(visible(value)))).toBeGreaterThan(3000);
        else {
          const url = new URL(component);
          expect([url.origin, url.pathname, url.hash]).toEqual(['https://x.example', '/', '']);
          expect(url.searchParams.get('q')).toBe(through(template, value).replace(/\p{Surrogate}/gu, '\ufffd'));
        }
        for (const whole of [target(second) ?? second, /<img src='([^']*)'/.exec(page)?.[1] ?? ''])
          expect(whole).toMatch(/^(#|https?:\/\/.*)$/i);
      },
    ),
    OFTEN,
  );
});

it('no value is ever read as a template', () => {
  const renderer = rendererOf({ ...LIST, text: '{{ V | append: "" }}{% assign x = V %}{{ x }}' });
  const text = mailOf(renderer, '{{ Email }}{% if %}{{ "x" | upper }}').toString();
  expect(text.replace(/=\r\n/g, '')).toContain('{{ Email }}{% if %}{{ "x" | upper }}'.repeat(2));
});

it('no value makes rendering fail in another way than by a RenderError', () => {
  const renderer = rendererOf({
    ...LIST,
    subject:
      '{{ V | date: "%d %B" }}{{ V | number: 2 }}{{ V | truncate: V }}{{ V | slice: V, V }}{{ V | replace: V, V }}',
    text: '{% for x in V | split: V %}{{ x | first }}{{ x | size }}{% endfor %}{% if V > 1 or V contains V %}{% endif %}{% for p in V | products %}{% endfor %}',
  });
  fc.assert(
    fc.property(nasty, (value) => {
      try {
        mailOf(renderer, value);
      } catch (error) {
        expect(error).toBeInstanceOf(RenderError);
      }
    }),
    OFTEN,
  );
});
