import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { copySourceMailing } from './compile-source.js';
import { type Change, problemsOf, receive } from './testing/sent-mail.js';

const guide = readFileSync(new URL('../../../docs/TEMPLATES.md', import.meta.url), 'utf8');
const ANN: Record<string, string | null> = {
  'First name': 'Ann Marie',
  City: 'Kraków',
  Born: '1990-03-07',
  Since: '2026-07-01T22:30:00Z',
  Balance: '1234.5',
  Title: null,
  Newsletter: 'no',
  Interests: 'tea, wool',
  'Size (cm)': '170',
};
const OTHERS = [
  'Recommended',
  'Customer number',
  'Last purchase',
  'Own page',
  'Greeting URL',
  'Picture URL',
  'Invoice URL',
];
const LIST: Change = {
  fields: [...Object.keys(ANN), ...OTHERS],
  booleanFields: [Object.keys(ANN).indexOf('Newsletter')],
  productColumns: ['id', 'name', 'price', 'link', 'image', 'delivery time'],
  settings: { timeZone: 'Europe/Berlin' },
};

describe('docs/TEMPLATES.md', () => {
  const rows = [...guide.matchAll(/^\| `(\{\{.*?\}\})`\s*\| (.*?)\s*\|$/gm)].map(([, written = '', becomes = '']) => ({
    written: written.replaceAll('\\|', '|'),
    becomes,
  }));
  it.each(rows)('$written becomes $becomes', async ({ written, becomes }) => {
    const mail = await receive({ ...LIST, text: `${written}\n` }, Object.values(ANN));
    expect(mail.text).toBe(`${becomes}\n`);
  });

  const blocks = [...guide.matchAll(/^```(html|text)\n([\s\S]*?)^```$/gm)].map(([, part = '', code = '']) => ({
    part,
    code,
  }));
  it.each(blocks)('an example compiles: $code', ({ part, code }) => {
    expect(problemsOf({ ...LIST, [part]: code })).toEqual([]);
  });

  it('says it all with examples', () => {
    expect(rows.length).toBeGreaterThan(15);
    expect(blocks.length).toBeGreaterThan(5);
  });

  it('shows what a loop makes', async () => {
    const { code = '' } = blocks.find(({ part }) => part === 'text') ?? {};
    const textOf = async (values: (string | null)[]) => (await receive({ ...LIST, text: code }, values)).text.trim();
    expect(await textOf(Object.values(ANN))).toBe('1. Tea,\n2. Wool');
    expect(await textOf([])).toBe('Tell us what you like!');
  });
});

it('MJML keeps tags and functions', async () => {
  const body = [
    '<mjml><mj-body>',
    '<mj-raw>{% if City == "Kiel" %}</mj-raw>',
    '<mj-section><mj-column><mj-text>{{ Title | default: "friend" }}</mj-text>',
    '<mj-button href="{{ Own page | default: \'https://shop.example/\' }}">Go</mj-button></mj-column></mj-section>',
    '<mj-raw>{% endif %}</mj-raw>',
    '</mj-body></mjml>',
  ].join('\n');
  const written = {
    subject: 'a',
    fromName: 'a',
    fromAddress: 'a@b.example',
    replyTo: null,
    textBody: null,
    linkTracking: true,
  };
  const fields = (LIST.fields ?? []).map((name) => ({ name, type: name === 'Newsletter' ? 'boolean' : 'varchar' }));
  const { program } = await copySourceMailing({ ...written, bodyFormat: 'mjml', body }, fields);
  expect(program.html).toContainEqual({ output: 'fields[5] | default: "friend"', escape: 'html' });
  expect(program.links.at(-1)?.target).toEqual([
    { output: expect.stringContaining('shop.example'), escape: 'url-start' },
  ]);
  expect(program.booleanFields).toEqual([6]);
});
