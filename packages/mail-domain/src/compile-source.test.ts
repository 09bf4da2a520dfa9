import { expect, it } from 'vitest';
import { copySourceMailing, type WrittenMailing } from './compile-source.js';
import { TemplateError } from './template-problem.js';

const mjml = (...lines: readonly string[]) =>
  ['<mjml><mj-body><mj-section><mj-column>', ...lines, '</mj-column></mj-section></mj-body></mjml>'].join('\n');

const FIELDS = [{ name: 'Email' }, { name: 'First name' }];
const WRITTEN: WrittenMailing = {
  subject: 'News',
  fromName: 'Shop',
  fromAddress: 'news@shop.example',
  replyTo: null,
  bodyFormat: 'mjml',
  body: mjml('    <mj-text>Hello {{ First name }}</mj-text>'),
  textBody: null,
  linkTracking: true,
};

async function problemsOf(written: Partial<WrittenMailing>) {
  const error: unknown = await copySourceMailing({ ...WRITTEN, ...written }, FIELDS).catch((e) => e);
  if (!(error instanceof TemplateError)) throw new Error(`compiled, or failed otherwise: ${error}`);
  return error.problems;
}

it('a copy compiles, and its hash follows what was written', async () => {
  const copy = await copySourceMailing(WRITTEN, FIELDS);
  expect(copy.program.html).toContainEqual({ field: 1, escape: 'html' });
  const again = await copySourceMailing({ ...WRITTEN }, FIELDS);
  const edited = await copySourceMailing({ ...WRITTEN, subject: 'Old' }, FIELDS);
  expect(again.contentHash).toEqual(copy.contentHash);
  expect(edited.contentHash).not.toEqual(copy.contentHash);
});

it('an undefined placeholder is told once, at its place in the MJML, even where MJML writes it twice', async () => {
  const body = mjml('    <mj-button title="{{ Frst name }}">Hello</mj-button>');
  expect(await problemsOf({ body, subject: '{{ Nobody }}' })).toMatchObject([
    { part: 'subject', line: 1, column: 1 },
    { part: 'html', line: 2, column: 23, message: expect.stringContaining('Frst name') },
  ]);
});

it('problems of the HTML that the MJML does not show keep their places, however many are alike', async () => {
  const inStyle = '    <mj-text font-family="{{ First name }}">a</mj-text>';
  const problems = await problemsOf({ body: mjml(inStyle, inStyle) });
  expect(new Set(problems.map(({ message }) => message)).size).toBe(1);
  expect(new Set(problems.map(({ line, column }) => `${line}:${column}`)).size).toBe(problems.length);
});

it('an error of MJML is a problem with its line', async () => {
  expect(await problemsOf({ body: mjml('    <mj-txt>a</mj-txt>') })).toMatchObject([
    { part: 'html', line: 2, message: expect.stringMatching(/^MJML: .*mj-txt/) },
  ]);
});
