import { addressProblem } from './address.js';
import { encodePhrase, encodeUnstructured } from './encoded-word.js';
import { escapeHeader } from './escape.js';
import type { CompiledMail, Segment } from './mail-program.js';
import { RenderError } from './render-error.js';
import type { RendererOptions } from './render-options.js';
import type { RenderScope } from './render-scope.js';
import { prepareHeaderText } from './render-value.js';

/** What is different in the headers of every mail. */
export interface HeaderValues {
  email: string;
  /** A new one for each header: what a template assigns in one is not there in the other. */
  scope: () => RenderScope;
  messageId: string;
  unsubscribeUrl: string;
  unsubscribeMailto: string;
}

export type HeaderField = readonly [name: string, value: string];

/** Headers before they are encoded. */
export interface HeaderTexts {
  from: { name: string; address: string };
  /** An address. */
  replyTo: string | null;
  subject: string;
  /** ASCII, in their order. */
  headers: readonly HeaderField[];
}

/** Prepares the headers of a mailing. @returns a function that writes them for one mail, the blank line included */
export function prepareHeaders(
  compiled: CompiledMail,
  options: RendererOptions,
): (values: HeaderValues, date: Date, contentType: string) => string {
  const from = prepare(compiled.fromName, (name) => fromHeader(name, compiled.fromAddress));
  const subject = prepare(compiled.subject, (text) => `Subject: ${encodeUnstructured(text, 'Subject: '.length)}\r\n`);
  const replyTo = compiled.replyTo === null ? () => '' : prepare(compiled.replyTo, replyToHeader);
  const fixed = fixedHeaders(options)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return ({ email, scope, messageId, unsubscribeUrl, unsubscribeMailto }, date, contentType) =>
    `Date: ${dateTime(date)}\r\n${from(scope)}To: ${email}\r\n${replyTo(scope)}${subject(scope)}Message-ID: ${messageId}\r\n` +
    `List-Unsubscribe: <${unsubscribeUrl}>,\r\n <${unsubscribeMailto}>\r\n${fixed}Content-Type: ${contentType}\r\n\r\n`;
}

/** The same headers as a reader gets them, neither encoded nor folded, but for those that the parts of a mail make. */
export function prepareHeaderTexts(
  compiled: CompiledMail,
  options: RendererOptions,
): (values: Pick<HeaderValues, 'scope' | 'unsubscribeUrl' | 'unsubscribeMailto'>) => HeaderTexts {
  const fromName = prepare(compiled.fromName, (name) => name.trim());
  const subject = prepare(compiled.subject, (text) => text.trim());
  const replyTo = compiled.replyTo === null ? () => null : prepare(compiled.replyTo, checkedReplyTo);
  const fixed = fixedHeaders(options).filter(([name]) => name !== 'MIME-Version');
  return ({ scope, unsubscribeUrl, unsubscribeMailto }) => ({
    from: { name: fromName(scope), address: compiled.fromAddress },
    replyTo: replyTo(scope),
    subject: subject(scope),
    headers: [['List-Unsubscribe', `<${unsubscribeUrl}>, <${unsubscribeMailto}>`], ...fixed],
  });
}

/** A header whose text has no values is made once. */
function prepare<T>(segments: readonly Segment[], write: (text: string) => T): (scope: () => RenderScope) => T {
  if (segments.every((segment) => typeof segment === 'string')) {
    const header = write(segments.map(escapeHeader).join(''));
    return () => header;
  }
  const textOf = prepareHeaderText(segments);
  return (scope) => write(textOf(scope()));
}

function fromHeader(name: string, address: string): string {
  if (name.trim() === '') return `From: ${address}\r\n`;
  const phrase = encodePhrase(name, 'From: '.length);
  const column = phrase.includes('\n') ? phrase.length - phrase.lastIndexOf('\n') - 1 : 'From: '.length + phrase.length;
  // A line with an encoded word ends at 76 characters (RFC 2047 section 2).
  const space = column + ` <${address}>`.length > 76 ? '\r\n ' : ' ';
  return `From: ${phrase}${space}<${address}>\r\n`;
}

const replyToHeader = (text: string): string => `Reply-To: ${checkedReplyTo(text)}\r\n`;

function checkedReplyTo(text: string): string {
  const address = text.trim();
  const problem = addressProblem(address);
  if (problem) throw new RenderError(`The reply address ${problem}.`);
  return address;
}

/** RFC 8058 (one-click), RFC 2919 (list ID), Google's Feedback-ID, RFC 2045. */
function fixedHeaders({ mailingId, clientId, listId }: RendererOptions): HeaderField[] {
  return [
    ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
    ['List-Id', `<${listId}>`],
    ['Feedback-ID', `${mailingId}:${clientId}`],
    ['Precedence', 'bulk'],
    ['MIME-Version', '1.0'],
  ];
}

/** RFC 5322 3.3, in UTC. */
function dateTime(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
