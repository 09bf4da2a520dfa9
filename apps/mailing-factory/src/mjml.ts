import { TemplateError } from '@postloop/mail-domain';
import mjml2html from 'mjml';

/** MJML to HTML, once per mailing. Placeholders pass through. `mj-include` is off: a template reads no files. */
export async function compileMjml(body: string): Promise<string> {
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
