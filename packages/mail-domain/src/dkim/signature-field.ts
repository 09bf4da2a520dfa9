import type { DkimKey } from './dkim-key.js';

export interface SignatureFacts {
  /** When it was signed; `t=` has whole seconds. */
  date: Date;
  /** Names of the signed fields, in order. */
  names: readonly string[];
  bodyHash: string;
}

const MAX_LINE = 76;

/** The DKIM-Signature field (RFC 6376 3.5) with an empty `b=`, as it is signed; folded, without CRLF at its end. */
export function unsignedField({ algorithm, domain, selector }: DkimKey, facts: SignatureFacts): string {
  const tags = [
    'v=1; ',
    `a=${algorithm}; `,
    'c=relaxed/simple; ',
    `d=${domain}; `,
    `s=${selector}; `,
    `t=${Math.floor(facts.date.getTime() / 1000)}; `,
    ...listOf(facts.names),
    `bh=${facts.bodyHash}; `,
    'b=',
  ];
  return fold('DKIM-Signature: ', tags);
}

/** The field with its signature in it, CRLF included. */
export function signedField(unsigned: string, signature: Buffer): string {
  const lines = signature.toString('base64').match(/.{1,72}/g) ?? [];
  return `${unsigned}${lines.map((line) => `\r\n ${line}`).join('')}\r\n`;
}

/** White space may stand around the colons of `h=`. */
function listOf(names: readonly string[]): string[] {
  return names.map((name, i) => `${i === 0 ? 'h=' : ''}${name}${i === names.length - 1 ? '; ' : ':'}`);
}

function fold(start: string, pieces: readonly string[]): string {
  let field = start;
  let column = start.length;
  for (const piece of pieces) {
    if (column + piece.trimEnd().length > MAX_LINE) {
      field = `${field.trimEnd()}\r\n `;
      column = 1;
    }
    field += piece;
    column += piece.length;
  }
  return field;
}
