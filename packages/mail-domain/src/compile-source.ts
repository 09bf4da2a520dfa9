import { createHash } from 'node:crypto';
import { compileMail } from './compile.js';
import { decodeReferences } from './html-tokens.js';
import type { CompiledMail } from './mail-program.js';
import { findPlaceholders } from './placeholder.js';
import { PartSource, TemplateError, type TemplateProblem } from './template-problem.js';

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

/** A copy of a source mailing: as written, as compiled, and a hash over what was written. */
export interface MailingCopy {
  /** SHA-256. */
  contentHash: Buffer;
  source: object;
  program: CompiledMail;
}

/**
 * The default export of the package `mjml`. It is handed in and not imported, so that this package stays as light as it
 * is for those who only render.
 */
export type MjmlCompiler = (
  body: string,
  options: { validationLevel: 'soft'; ignoreIncludes: boolean },
) => Promise<{ html: string; errors: readonly { line: number; message: string; tagName: string }[] }>;

/**
 * Copies and compiles a source mailing against the names of its list's fields. Places in an MJML body are those of the MJML.
 * @throws TemplateError with every problem of the template and its place
 */
export async function copySourceMailing(
  written: WrittenMailing,
  listFields: readonly { name: string }[],
  mjml: MjmlCompiler,
): Promise<MailingCopy> {
  const { subject, fromName, fromAddress, replyTo, bodyFormat, body, textBody, linkTracking } = written;
  const fields = listFields.map(({ name }) => name);
  const source = { subject, fromName, fromAddress, replyTo, bodyFormat, body, textBody, linkTracking, fields };
  const html = bodyFormat === 'mjml' ? await compileMjml(body, mjml) : body;
  try {
    const program = compileMail({
      fields,
      subject,
      fromName,
      fromAddress,
      replyTo,
      html,
      text: textBody,
      linkTracking,
    });
    return { contentHash: createHash('sha256').update(JSON.stringify(source)).digest(), source, program };
  } catch (error) {
    if (!(error instanceof TemplateError) || bodyFormat !== 'mjml') throw error;
    throw new TemplateError(placesInMjml(error.problems, body, fields));
  }
}

/** MJML to HTML, once per mailing. Placeholders pass through. `mj-include` is off: a template reads no files. */
async function compileMjml(body: string, mjml: MjmlCompiler): Promise<string> {
  const { html, errors } = await mjml(body, { validationLevel: 'soft', ignoreIncludes: true });
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
  fields: readonly string[],
): TemplateProblem[] {
  const written: TemplateProblem[] = [];
  findPlaceholders(new PartSource('html', body, written), fields, (raw) => decodeReferences(raw, true));
  const told = new Set(written.map(({ message }) => message));
  return problems.flatMap((problem) => {
    if (problem.part !== 'html' || !told.has(problem.message)) return [problem];
    const at = written.findIndex(({ message }) => message === problem.message);
    // MJML may write one place of the source several times: those that are left over are no other problems.
    return at >= 0 ? written.splice(at, 1) : [];
  });
}
