import type { ByteWriter } from './byte-writer.js';
import type { MailPart } from './mail-parts.js';

/** Neither quoted-printable nor base64 holds `=_` (RFC 2045 6.7), so no content can end a part. */
const ALTERNATIVE = '=_postloop_part';
const RELATED = '=_postloop_related';
const MIXED = '=_postloop_mixed';

export const ALTERNATIVE_TYPE = typeOf('alternative', ALTERNATIVE);

const next = (boundary: string): string => `\r\n--${boundary}\r\n`;
const end = (boundary: string): string => `\r\n--${boundary}--\r\n`;

/** What stands before, between and behind text and HTML when a mail has nothing else. */
export const BEFORE_TEXT = Buffer.from(next(ALTERNATIVE).trimStart() + textHeaders('plain'));
export const BEFORE_HTML = Buffer.from(next(ALTERNATIVE) + textHeaders('html'));
export const AFTER_HTML = Buffer.from(end(ALTERNATIVE));

export interface MailContent {
  /** Quoted-printable. */
  text: Buffer;
  html: Buffer;
  /** The HTML shows them (RFC 2387). */
  pictures: readonly MailPart[];
  files: readonly MailPart[];
}

/** The Content-Type of the whole mail. */
export function contentType({ files }: Pick<MailContent, 'files'>): string {
  return files.length === 0 ? ALTERNATIVE_TYPE : typeOf('mixed', MIXED);
}

/** Text and HTML as alternatives; the HTML with its pictures; files behind all of it. */
export function writeContent(writer: ByteWriter, { text, html, pictures, files }: MailContent): void {
  const write = (ascii: string) => writer.writeAscii(ascii);
  if (files.length > 0) write(`${next(MIXED).trimStart()}Content-Type: ${ALTERNATIVE_TYPE}\r\n\r\n`);
  writer.writeBytes(BEFORE_TEXT);
  writer.writeBytes(text);
  if (pictures.length === 0) {
    writer.writeBytes(BEFORE_HTML);
    writer.writeBytes(html);
  } else {
    write(`${next(ALTERNATIVE)}Content-Type: ${typeOf('related', RELATED)};\r\n type="text/html"\r\n\r\n`);
    write(next(RELATED).trimStart() + textHeaders('html'));
    writer.writeBytes(html);
    writeParts(writer, RELATED, pictures);
  }
  writer.writeBytes(AFTER_HTML);
  if (files.length > 0) writeParts(writer, MIXED, files);
}

function writeParts(writer: ByteWriter, boundary: string, parts: readonly MailPart[]): void {
  for (const { headers, body } of parts) {
    writer.writeAscii(next(boundary) + headers);
    writer.writeBytes(body);
  }
  writer.writeAscii(end(boundary));
}

function typeOf(subtype: string, boundary: string): string {
  return `multipart/${subtype}; boundary="${boundary}"`;
}

function textHeaders(subtype: 'plain' | 'html'): string {
  return `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`;
}
