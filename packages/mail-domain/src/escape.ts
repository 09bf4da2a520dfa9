/*
 * How a recipient's value is written where it stands. Values are hostile: each function returns something that stays one
 * text, one attribute value, one URL component, one header text. Lone surrogates become U+FFFD when they are encoded.
 */

/** No text part and no HTML document may hold them. */
const CONTROLS = /[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu;
const NOT_PLAIN_TEXT = /[\p{Cc}\ufffe\uffff]/u;
const NOT_PLAIN_HTML = /[\p{Cc}\ufffe\uffff&<>"'`]/u;
/** Line separators would start a header of their own somewhere. */
const HEADER_BREAKS = /[\p{Cc}\u2028\u2029]+/gu;
/** They turn the writing direction, or show nothing: a name could look like another. */
const HEADER_INVISIBLE = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu;

const REFERENCES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // Old Outlook closes attributes with it.
  '`': '&#96;',
};

/** For HTML text and for quoted attribute values: both are safe with the same references. */
export function escapeHtml(value: string): string {
  if (!NOT_PLAIN_HTML.test(value)) return value;
  return escapeText(value).replace(/[&<>"'`]/g, (character) => REFERENCES[character] ?? '');
}

/** For plain text: line ends are LF, control characters go. */
export function escapeText(value: string): string {
  if (!NOT_PLAIN_TEXT.test(value)) return value;
  return value.replace(/\r\n?/g, '\n').replace(CONTROLS, '');
}

/** For a header: one line without control characters and without characters that turn what follows around. */
export function escapeHeader(value: string): string {
  return value.replace(HEADER_BREAKS, ' ').replace(HEADER_INVISIBLE, '');
}

/** For one component of a URL (RFC 3986 section 2.1): only unreserved characters stay. */
export function escapeUrl(value: string): string {
  return encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\uFFFD')).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
