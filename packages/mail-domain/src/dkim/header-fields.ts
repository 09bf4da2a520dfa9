/** A header field as it stands in a message. */
export interface HeaderField {
  /** In lower case. */
  name: string;
  /** The whole field, folding included, without its last CRLF; one character per byte (latin1). */
  raw: string;
}

const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/**
 * Cuts a message (RFC 5322 2.1) at its first empty line. One without an empty line is all header; lines that are no
 * fields are left out.
 */
export function splitMessage(message: Buffer): { fields: HeaderField[]; body: Buffer } {
  const end = message.indexOf(END_OF_HEADERS);
  const header = message.toString('latin1', 0, end === -1 ? message.length : end);
  const body = end === -1 ? message.subarray(message.length) : message.subarray(end + END_OF_HEADERS.length);
  const fields: HeaderField[] = [];
  // A line that starts with white space goes on with the field before it (RFC 5322 2.2.3).
  for (const raw of header.split(/\r\n(?![ \t])/)) {
    const colon = raw.indexOf(':');
    if (colon > 0) fields.push({ name: trimEnd(raw.slice(0, colon)).toLowerCase(), raw });
  }
  return { fields, body };
}

/** As nearly all fields are: one space behind the colon, single ones elsewhere, no folding. */
const NEARLY_RELAXED = /^[^ \t:]+: [^ \t\r]+(?: [^ \t\r]+)*$/;

/** The field as the algorithm "relaxed" sees it (RFC 6376 3.4.2), without CRLF at its end. */
export function relaxedField(raw: string): string {
  const colon = raw.indexOf(':');
  if (NEARLY_RELAXED.test(raw)) return `${raw.slice(0, colon).toLowerCase()}:${raw.slice(colon + 2)}`;
  const value = raw
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    // Single spaces, of which there are many, are right already.
    .replace(/[ \t]{2,}|\t/g, ' ')
    .replace(/^ | $/g, '');
  return `${trimEnd(raw.slice(0, colon)).toLowerCase()}:${value}`;
}

/** White space is SP and HTAB here, nothing else. */
const trimEnd = (text: string) => text.replace(/[ \t]+$/, '');
