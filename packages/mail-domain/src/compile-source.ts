import { createHash } from 'node:crypto';
import mjml2html from 'mjml';
import { compileMail } from './compile.js';
import { decodeReferences } from './html-tokens.js';
import type { CompiledMail } from './mail-program.js';
import { templateContext } from './template-context.js';
import { PartSource, TemplateError, type TemplateProblem } from './template-problem.js';
import { readTemplate } from './template-reader.js';
import type { TemplateSettings } from './template-settings.js';

// Imports mjml, which takes long to load: not part of the main entry, so that those who only render stay without it.

/** A source mailing as its author wrote it. */
export interface WrittenMailing {
  subject: string;
  fromName: string;
  fromAddress: string;
  replyTo: string | null;
  bodyFormat: 'mjml' | 'html';
  body: string;
  /** Made from the HTML when null. */
  textBody: string | null;
  linkTracking: boolean;
}

/** What a template may name, and what its client chose. */
export interface CopyOptions {
  /** Columns of the client's product data; null while nobody knows them. */
  productColumns?: readonly string[] | null;
  settings?: Partial<TemplateSettings>;
}

/** A copy of a source mailing: as written, as compiled, and a hash over what was written. */
export interface MailingCopy {
  /** SHA-256. */
  contentHash: Buffer;
  source: object;
  program: CompiledMail;
}

/**
 * Copies and compiles a source mailing against the fields of its list. Places in an MJML body are those of the MJML.
 * @throws TemplateError with every problem of the template and its place
 */
export async function copySourceMailing(
  written: WrittenMailing,
  listFields: readonly { name: string; type?: string }[],
  { productColumns = null, settings = {} }: CopyOptions = {},
): Promise<MailingCopy> {
  const { subject, fromName, fromAddress, replyTo, bodyFormat, body, textBody, linkTracking } = written;
  const names = {
    fields: listFields.map(({ name }) => name),
    booleanFields: listFields.flatMap(({ type }, i) => (type === 'boolean' ? [i] : [])),
    productColumns,
  };
  const texts = { subject, fromName, fromAddress, replyTo };
  const source = { ...texts, bodyFormat, body, textBody, linkTracking, ...names, settings };
  const html = bodyFormat === 'mjml' ? await compileMjml(body) : body;
  try {
    const program = compileMail({ ...names, ...texts, html, text: textBody, linkTracking, settings });
    return { contentHash: createHash('sha256').update(JSON.stringify(source)).digest(), source, program };
  } catch (error) {
    if (!(error instanceof TemplateError) || bodyFormat !== 'mjml') throw error;
    throw new TemplateError(placesInMjml(error.problems, body, names));
  }
}

/** MJML to HTML, once per mailing. Placeholders pass through. `mj-include` is off: a template reads no files. */
async function compileMjml(body: string): Promise<string> {
  const { html, errors } = await mjml2html(body, { validationLevel: 'soft', ignoreIncludes: true });
  if (errors.length > 0)
    throw new TemplateError(
      errors.map(({ line, message, tagName }) => ({
        part: 'html' as const,
        line,
        column: 1,
        message: `MJML: ${message} (${tagName})`,
        remedy: 'Correct the tag; see the MJML documentation.',
      })),
    );
  return html;
}

/** The author knows the MJML, not the HTML made of it: a problem that both have is told where the MJML has it. */
function placesInMjml(
  problems: readonly TemplateProblem[],
  body: string,
  names: Parameters<typeof templateContext>[0],
): TemplateProblem[] {
  const written: TemplateProblem[] = [];
  readTemplate(new PartSource('html', body, written), templateContext(names), (raw) => decodeReferences(raw, true));
  const told = new Set(written.map(({ message }) => message));
  return problems.flatMap((problem) => {
    if (problem.part !== 'html' || !told.has(problem.message)) return [problem];
    const at = written.findIndex(({ message }) => message === problem.message);
    // MJML may write one place of the source several times: those that are left over are no other problems.
    return at >= 0 ? written.splice(at, 1) : [];
  });
}
