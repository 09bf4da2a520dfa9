import { encodePhrase, encodeUnstructured } from './encoded-word.js';
import type { CompiledMail, Segment } from './mail-program.js';
import type { RendererOptions } from './render-options.js';
import { type FieldValues, renderHeaderText } from './render-value.js';

/** Quoted-printable never holds `=_` (RFC 2045 6.7), so no content can end a part. */
const BOUNDARY = '=_postloop_part';

export const BETWEEN_PARTS = `\r\n--${BOUNDARY}\r\n`;
export const AFTER_PARTS = `\r\n--${BOUNDARY}--\r\n`;

/** What is different in the headers of every mail. */
export interface HeaderValues {
  email: string;
  fields: FieldValues;
  date: Date;
  messageId: string;
  unsubscribeUrl: string;
  unsubscribeMailto: string;
}

/** Prepares the headers of a mailing. @returns a function that writes them for one mail, the blank line included */
export function prepareHeaders(compiled: CompiledMail, options: RendererOptions): (values: HeaderValues) => string {
  const from = prepare(compiled.fromName, (name) => fromHeader(name, compiled.fromAddress));
  const subject = prepare(compiled.subject, (text) => `Subject: ${encodeUnstructured(text, 'Subject: '.length)}\r\n`);
  const replyTo = compiled.replyTo === null ? '' : `Reply-To: ${compiled.replyTo}\r\n`;
  const fixed = fixedHeaders(options);
  return ({ email, fields, date, messageId, unsubscribeUrl, unsubscribeMailto }) =>
    `Date: ${dateTime(date)}\r\n${from(fields)}To: ${email}\r\n${replyTo}${subject(fields)}Message-ID: ${messageId}\r\n` +
    `List-Unsubscribe: <${unsubscribeUrl}>,\r\n <${unsubscribeMailto}>\r\n${fixed}`;
}

/** A header whose text has no values is written once. */
function prepare(segments: readonly Segment[], write: (text: string) => string): (fields: FieldValues) => string {
  if (segments.some((segment) => typeof segment !== 'string'))
    return (fields) => write(renderHeaderText(segments, fields));
  const header = write(renderHeaderText(segments, []));
  return () => header;
}

function fromHeader(name: string, address: string): string {
  if (name.trim() === '') return `From: ${address}\r\n`;
  const phrase = encodePhrase(name, 'From: '.length);
  const column = phrase.includes('\n') ? phrase.length - phrase.lastIndexOf('\n') - 1 : 'From: '.length + phrase.length;
  // A line with an encoded word ends at 76 characters (RFC 2047 section 2).
  const space = column + ` <${address}>`.length > 76 ? '\r\n ' : ' ';
  return `From: ${phrase}${space}<${address}>\r\n`;
}

/** RFC 8058 (one-click), RFC 2919 (list ID), Google's Feedback-ID, RFC 2045 and 2046 (the structure). */
function fixedHeaders({ mailingId, clientId, listId }: RendererOptions): string {
  return [
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    `List-Id: <${listId}>`,
    `Feedback-ID: ${mailingId}:${clientId}`,
    'Precedence: bulk',
    'MIME-Version: 1.0',
    `Content-Type: multipart/alternative; boundary="${BOUNDARY}"`,
    '\r\n',
  ].join('\r\n');
}

/** Headers of one part. */
export function partHeaders(subtype: 'plain' | 'html'): string {
  return `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`;
}

/** RFC 5322 3.3, in UTC. */
function dateTime(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
