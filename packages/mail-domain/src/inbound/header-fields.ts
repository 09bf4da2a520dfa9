import { decodeWords } from './decode-words.js';

/** One header field: name in lower case, value unfolded, trimmed, not decoded. */
export interface HeaderField {
  name: string;
  value: string;
}

const FIELD = /^([!-9;-~]{1,200})[ \t]*:/;

/**
 * Reads `Name: value` lines (RFC 5322 2.2); a line that starts with white space goes on with the field before it.
 * Anything else ends nothing and is skipped: servers put lines such as `From sender date` or `>From` among fields.
 */
export function parseHeaderFields(lines: readonly string[]): HeaderField[] {
  const fields: { name: string; parts: string[] }[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      fields.at(-1)?.parts.push(line.trim());
      continue;
    }
    const name = FIELD.exec(line)?.[1];
    if (name === undefined) continue;
    fields.push({ name: name.toLowerCase(), parts: [line.slice(line.indexOf(':') + 1).trim()] });
  }
  return fields.map(({ name, parts }) => ({ name, value: parts.join(' ').trim() }));
}

/** The first field of that name with its encoded words decoded; '' without one. */
export function fieldText(fields: readonly HeaderField[], name: string): string {
  return decodeWords(rawField(fields, name));
}

/** The first field of that name as it stands; '' without one. */
export function rawField(fields: readonly HeaderField[], name: string): string {
  return fields.find((field) => field.name === name)?.value ?? '';
}

/** True for a line that could be a header field; for blocks of fields in the middle of a text. */
export function isFieldLine(line: string): boolean {
  return FIELD.test(line);
}
