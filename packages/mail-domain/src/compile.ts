import { addressProblem } from './address.js';
import { compileHtml } from './compile-html.js';
import { LinkRegistry } from './link-registry.js';
import { type CompiledMail, joinStatic, type MailSource, type Segment } from './mail-program.js';
import { cutAtPlaceholders, findPlaceholders } from './placeholder.js';
import { PartSource, TemplateError, type TemplatePart, type TemplateProblem } from './template-problem.js';
import { compileText, textFromHtml } from './text-part.js';

/**
 * Compiles a source mailing into a program that renders one mail per recipient.
 * @throws TemplateError with all problems, so that none is found by the first recipient
 */
export function compileMail(source: MailSource): CompiledMail {
  const problems: TemplateProblem[] = [];
  const part = (name: TemplatePart, text: string) => new PartSource(name, cleanText(text), problems);
  const links = new LinkRegistry();
  const { fields, linkTracking } = source;
  const subject = compileHeader(part('subject', source.subject), fields);
  const fromName = compileHeader(part('fromName', source.fromName), fields);
  const fromAddress = compileAddress(part('fromAddress', source.fromAddress));
  const replyTo = source.replyTo === null ? null : compileAddress(part('replyTo', source.replyTo));
  const html = compileHtml(part('html', source.html), { fields, linkTracking, links });
  const text =
    source.text === null ? textFromHtml(html) : compileText(part('text', source.text), { fields, linkTracking, links });
  if (problems.length > 0) throw new TemplateError(problems.toSorted(byPlace));
  return { version: 1, subject, fromName, fromAddress, replyTo, html, text, links: links.links };
}

/** A program that no value gets in the way of: LF, no byte order mark, nothing that JSON in PostgreSQL refuses. */
function cleanText(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}

function compileHeader(source: PartSource, fields: readonly string[]): Segment[] {
  const placeholders = findPlaceholders(source, fields);
  const pieces = cutAtPlaceholders(source.text, 0, source.text.length, placeholders);
  return joinStatic(
    pieces.map((piece) => {
      if (typeof piece === 'string') return piece.replace(/\s+/g, ' ');
      if (piece.names !== 'unsubscribe_url') return { field: piece.names, escape: 'header' as const };
      source.report(piece.start, '{{ unsubscribe_url }} cannot stand in a header.', 'Use it in the HTML or text part.');
      return '';
    }),
  );
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
