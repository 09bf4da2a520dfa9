/** RFC 2047 section 2: an encoded word has at most 75 characters, a line that holds one 76. */
const MAX_WORD = 75;
const MAX_LINE = 76;
const OPENING = '=?UTF-8?B?';
const CLOSING = '?=';

const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Writes the text of an unstructured header (Subject), folded where it is long.
 * @param text one line, without control characters
 * @param used characters on the line before it
 */
export function encodeUnstructured(text: string, used: number): string {
  const trimmed = text.trim();
  if (!PRINTABLE.test(trimmed) || trimmed.includes('=?')) return encodeWords(trimmed, used);
  if (used + trimmed.length <= MAX_LINE) return trimmed;
  return fold(trimmed, used) ?? encodeWords(trimmed, used);
}

/**
 * Writes a display name (RFC 5322 phrase): as it is, as a quoted string, or as encoded words.
 * @param text one line, without control characters
 * @param used characters on the line before it
 */
export function encodePhrase(text: string, used: number): string {
  const trimmed = text.trim();
  const fits = used + trimmed.length <= MAX_LINE - 2;
  if (!fits || !PRINTABLE.test(trimmed) || trimmed.includes('=?')) return encodeWords(trimmed, used);
  if (/^[A-Za-z0-9]+( [A-Za-z0-9]+)*$/.test(trimmed)) return trimmed;
  return `"${trimmed.replace(/["\\]/g, '\\$&')}"`;
}

/** Breaks lines before a space that a word follows; null when a word is longer than a line. */
function fold(text: string, used: number): string | null {
  let folded = '';
  let column = used;
  for (const [i, word] of text.split(/ (?=\S)/).entries()) {
    if (word.length > MAX_LINE - 1) return null;
    const breaks = i > 0 && column + 1 + word.length > MAX_LINE;
    folded += `${i === 0 ? '' : breaks ? '\r\n ' : ' '}${word}`;
    column = breaks ? 1 + word.length : column + (i === 0 ? 0 : 1) + word.length;
  }
  return column > MAX_LINE ? null : folded;
}

/** B encoding in words that each hold whole code points (RFC 2047 section 5 (3)). */
function encodeWords(text: string, used: number): string {
  const words: string[] = [];
  let room = Math.min(MAX_WORD, MAX_LINE - used);
  let chunk = '';
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (wordLength(bytes + size) > room) {
      words.push(encodeWord(chunk));
      room = MAX_WORD;
      chunk = '';
      bytes = 0;
    }
    chunk += character;
    bytes += size;
  }
  return [...words, encodeWord(chunk)].join('\r\n ');
}

const wordLength = (bytes: number): number => OPENING.length + Math.ceil(bytes / 3) * 4 + CLOSING.length;

const encodeWord = (text: string): string => `${OPENING}${Buffer.from(text).toString('base64')}${CLOSING}`;
