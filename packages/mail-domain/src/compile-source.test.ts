import { expect, it } from 'vitest';
import { copySourceMailing, type MjmlCompiler, type WrittenMailing } from './compile-source.js';
import { TemplateError } from './template-problem.js';

const FIELDS = [{ name: 'Email' }, { name: 'First name' }];
const WRITTEN: WrittenMailing = {
  subject: 'News',
  fromName: 'Shop',
  fromAddress: 'news@shop.example',
  replyTo: null,
  bodyFormat: 'mjml',
  body: '<mjml>\n  <mj-text>Hello {{ First name }}</mj-text>\n</mjml>',
  textBody: null,
  linkTracking: true,
};

/** As MJML does: writes a text twice, for Outlook and for the others, and adds lines of its own. */
const twice: MjmlCompiler = async (body) => {
  const text = /<mj-text>(.*)<\/mj-text>/s.exec(body)?.[1] ?? '';
  return { html: `<html>\n\n\n<body><p>${text}</p><p>${text}</p></body></html>`, errors: [] };
};

async function problemsOf(written: Partial<WrittenMailing>, mjml = twice) {
  const error: unknown = await copySourceMailing({ ...WRITTEN, ...written }, FIELDS, mjml).catch((e) => e);
  if (!(error instanceof TemplateError)) throw new Error(`compiled, or failed otherwise: ${error}`);
  return error.problems;
}

it('a copy compiles, and its hash follows what was written', async () => {
  const copy = await copySourceMailing(WRITTEN, FIELDS, twice);
  expect(copy.program.html).toContainEqual({ field: 1, escape: 'html' });
  const again = await copySourceMailing({ ...WRITTEN }, FIELDS, twice);
  const edited = await copySourceMailing({ ...WRITTEN, subject: 'Old' }, FIELDS, twice);
  expect(again.contentHash).toEqual(copy.contentHash);
  expect(edited.contentHash).not.toEqual(copy.contentHash);
});

it('an undefined placeholder is told once, at its place in the MJML', async () => {
  const body = '<mjml>\n  <mj-text>Hello {{ Frst name }}</mj-text>\n</mjml>';
  expect(await problemsOf({ body, subject: '{{ Nobody }}' })).toMatchObject([
    { part: 'subject', line: 1, column: 1 },
    { part: 'html', line: 2, column: 18, message: expect.stringContaining('Frst name') },
  ]);
});

it('problems of the HTML that the MJML does not show keep their places, however many are alike', async () => {
  const mjml: MjmlCompiler = async () => ({ html: '<p>{{ Gone }}</p>\n<p>{{ Gone }}</p>', errors: [] });
  expect(await problemsOf({ body: '<mjml></mjml>' }, mjml)).toMatchObject([{ line: 1 }, { line: 2 }]);
});

it('an error of MJML is a problem with its line', async () => {
  const mjml: MjmlCompiler = async () => ({ html: '', errors: [{ line: 3, message: 'no', tagName: 'mj-x' }] });
  expect(await problemsOf({}, mjml)).toMatchObject([{ part: 'html', line: 3, message: 'MJML: no (mj-x)' }]);
});
