import { decodeBytes } from './charset.js';
import { decodeBase64, decodeQuotedPrintable } from './transfer-encoding.js';

const MAX_LENGTH = 20_000;
const WORD = /=\?([!-<>@-~]{1,60})\?([bq])\?([!->@-~]{0,1000})\?=/gi;

/** Decodes the encoded words of a header value (RFC 2047); white space between two of them is theirs and goes. */
export function decodeWords(value: string): string {
  const text = value.slice(0, MAX_LENGTH);
  if (!text.includes('=?')) return text;
  return text
    .replace(/\?=[ \t]{1,20}=\?/g, '?==?')
    .replace(WORD, (_all, charset: string, kind: string, body: string) => {
      const bytes =
        kind.toLowerCase() === 'b'
          ? decodeBase64(Buffer.from(body, 'latin1'))
          : decodeQuotedPrintable(Buffer.from(body.replaceAll('_', '=20'), 'latin1'));
      return decodeBytes(bytes, charset.replace(/\*.*$/, ''));
    });
}
