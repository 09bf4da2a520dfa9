import { convert, type TextOptions } from 'html-to-text';
import type { LinkRegistry } from './link-registry.js';
import { endWithNewline, type Segment, UNSUBSCRIBE_ORDINAL } from './mail-program.js';
import { cutAtPlaceholders, findPlaceholders, type Placeholder } from './placeholder.js';
import { safeWebUrl } from './safe-url.js';
import { readTarget } from './target.js';
import type { PartSource } from './template-problem.js';

const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

/** Not wrapped: quoted-printable breaks long lines for the transport, and the reader's client wraps them. */
const TEXT_OPTIONS: TextOptions = {
  wordwrap: false,
  formatters: { alternative: (element, _walk, builder) => builder.addInline(element.attribs.alt ?? '') },
  selectors: [
    // Angle brackets mark a URL in text (RFC 3986 appendix C).
    { selector: 'a', options: { linkBrackets: ['<', '>'], hideLinkHrefIfSameAsText: true } },
    { selector: 'img', format: 'alternative' },
    ...HEADINGS.map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: '[style*="display:none"]', format: 'skip' },
    { selector: '[style*="display: none"]', format: 'skip' },
  ],
};

/** The text part of a mail that has none: made from the compiled HTML, with the same links and values. */
export function textFromHtml(html: readonly Segment[]): Segment[] {
  const mark = unusedCharacter(html);
  const marked = html.map((segment, i) => (typeof segment === 'string' ? segment : `${mark}${i}${mark}`)).join('');
  // Every second piece is the index of a segment.
  const pieces = convert(marked, TEXT_OPTIONS).split(mark);
  return endWithNewline(pieces.map((piece, i) => (i % 2 === 0 ? piece : asText(html[Number(piece)] ?? ''))));
}

/** A private-use character that the mail does not hold: it stands for itself in every step of the conversion. */
function unusedCharacter(html: readonly Segment[]): string {
  const used = new Set(html.filter((segment) => typeof segment === 'string').join(''));
  for (let code = 0xe000; code < 0xf8ff; code += 1)
    if (!used.has(String.fromCharCode(code))) return String.fromCharCode(code);
  throw new RangeError('the HTML uses every private-use character');
}

function asText(segment: Segment): Segment {
  if (typeof segment === 'string' || !('field' in segment) || segment.escape === 'url') return segment;
  return { field: segment.field, escape: 'text' };
}

interface TextOptionsGiven {
  fields: readonly string[];
  linkTracking: boolean;
  links: LinkRegistry;
}

/** Compiles a text part that an author wrote. Its http and https URLs are links of their own. */
export function compileText(source: PartSource, options: TextOptionsGiven): Segment[] {
  const { text } = source;
  const placeholders = findPlaceholders(source, options.fields);
  const segments: Segment[] = [];
  let at = 0;
  for (const { start, end } of findUrls(text, placeholders)) {
    segments.push(...plainSegments(text, at, start, placeholders));
    segments.push(...urlSegments(source, cutAtPlaceholders(text, start, end, placeholders), start, options));
    at = end;
  }
  segments.push(...plainSegments(text, at, text.length, placeholders));
  return endWithNewline(segments);
}

function plainSegments(text: string, start: number, end: number, placeholders: readonly Placeholder[]): Segment[] {
  return cutAtPlaceholders(text, start, end, placeholders).map((piece) => {
    if (typeof piece === 'string') return piece;
    return piece.names === 'unsubscribe_url'
      ? { link: UNSUBSCRIBE_ORDINAL }
      : { field: piece.names, escape: 'text' as const };
  });
}

function urlSegments(
  source: PartSource,
  pieces: readonly (string | Placeholder)[],
  at: number,
  { linkTracking, links }: TextOptionsGiven,
): Segment[] {
  const { segments, url } = readTarget(source, pieces, (raw) => raw);
  const isStatic = segments.every((piece) => typeof piece === 'string');
  const target = isStatic ? safeWebUrl(url) : null;
  // Something like "https://" in running text is no link and stays as it is.
  if (!linkTracking || (isStatic && target === null)) return segments;
  return [{ link: links.add(source, at, '', target ?? url, target === null ? segments : [target]) }];
}

/** URLs end at white space, quotes and angle brackets; punctuation at their end belongs to the sentence. */
function findUrls(text: string, placeholders: readonly Placeholder[]): { start: number; end: number }[] {
  // A placeholder within a URL may hold spaces: here it counts as a part of the URL.
  const pieces = cutAtPlaceholders(text, 0, text.length, placeholders);
  const masked = pieces
    .map((piece) => (typeof piece === 'string' ? piece : '\uE000'.repeat(piece.end - piece.start)))
    .join('');
  return [...masked.matchAll(/\bhttps?:\/\/[^\s<>"]+/gi)].map(({ index, 0: match }) => ({
    start: index,
    end: index + withoutPunctuation(match).length,
  }));
}

function withoutPunctuation(url: string): string {
  const shorter = url.replace(/[.,;:!?'*_]+$/, '');
  const closes = shorter.endsWith(')') && shorter.split(')').length > shorter.split('(').length;
  if (closes) return withoutPunctuation(shorter.slice(0, -1));
  return shorter;
}
