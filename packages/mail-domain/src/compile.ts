import { addressProblem } from './address.js';
import { compileHtml } from './compile-html.js';
import { LinkRegistry } from './link-registry.js';
import { type CompiledMail, joinStatic, type MailSource, type Segment } from './mail-program.js';
import { cutAtConstructs, plainSegments } from './template.js';
import { type TemplateContext, templateContext } from './template-context.js';
import { PartSource, TemplateError, type TemplatePart, type TemplateProblem } from './template-problem.js';
import { readTemplate } from './template-reader.js';
import { DEFAULT_TEMPLATE_SETTINGS } from './template-settings.js';
import { compileText, textFromHtml } from './text-part.js';

/**
 * Compiles a source mailing into a program that renders one mail per recipient.
 * @throws TemplateError with all problems, so that none is found by the first recipient
 */
export function compileMail(source: MailSource): CompiledMail {
  const problems: TemplateProblem[] = [];
  const part = (name: TemplatePart, text: string) => new PartSource(name, cleanText(text), problems);
  const links = new LinkRegistry();
  const context = templateContext(source);
  const options = { context, linkTracking: source.linkTracking, links };
  const subject = compileHeader(part('subject', source.subject), context);
  const fromName = compileHeader(part('fromName', source.fromName), context);
  const fromAddress = compileAddress(part('fromAddress', source.fromAddress));
  const replyTo = source.replyTo === null ? null : compileReplyTo(part('replyTo', source.replyTo), context);
  const htmlSource = part('html', source.html);
  const html = compileHtml(htmlSource, options);
  const written = source.text === null ? null : compileText(part('text', source.text), options);
  const text = written ?? (problems.length > 0 ? [] : textFromHtml(htmlSource, html));
  if (problems.length > 0) throw new TemplateError(problems.toSorted(byPlace));
  return {
    version: 2,
    subject,
    fromName,
    fromAddress,
    replyTo,
    html,
    text,
    links: links.links,
    booleanFields: [...context.booleanFields],
    settings: { ...DEFAULT_TEMPLATE_SETTINGS, ...source.settings },
    needs: context.needs,
  };
}

/** A program that no value gets in the way of: LF, no byte order mark, nothing that JSON in PostgreSQL refuses. */
function cleanText(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}

function compileHeader(source: PartSource, context: TemplateContext): Segment[] {
  const { constructs } = readTemplate(source, context);
  const segments = cutAtConstructs(source.text, 0, source.text.length, constructs).flatMap((piece): Segment[] => {
    if (typeof piece === 'string') return [piece.replace(/\s+/g, ' ')];
    const { means, start } = piece;
    if (means.kind === 'content' && means.content === 'text')
      return [{ content: means.field, kind: 'text', escape: 'header' }];
    const plain = plainSegments(piece, 'header');
    const what = means.kind === 'link' ? `{{ ${means.link} }}` : 'This content';
    if (!plain) source.report(start, `${what} cannot stand in a header.`, 'Use it in the HTML or text part.');
    return plain ?? [];
  });
  return joinStatic(segments);
}

/** Who has no value in it is checked now, the others when their mails are made. */
function compileReplyTo(source: PartSource, context: TemplateContext): Segment[] {
  const segments = compileHeader(source, context);
  return segments.some((segment) => typeof segment !== 'string') || source.text.includes('{')
    ? segments
    : [compileAddress(source)];
}

function compileAddress(source: PartSource): string {
  const address = source.text.trim();
  const problem = addressProblem(address);
  if (problem) source.report(0, `The address "${address}" ${problem}.`, 'Write an address alone: name@example.com.');
  return address;
}

const PARTS: readonly TemplatePart[] = ['subject', 'fromName', 'fromAddress', 'replyTo', 'html', 'text'];

function byPlace(a: TemplateProblem, b: TemplateProblem): number {
  return PARTS.indexOf(a.part) - PARTS.indexOf(b.part) || a.line - b.line || a.column - b.column;
}
