import { closeNames } from './close-names.js';
import type { PartSource } from './template-problem.js';

/** A `{{ … }}` that names a field (its index) or the unsubscribe link, and where it stands. */
export interface Placeholder {
  start: number;
  end: number;
  names: number | 'unsubscribe_url';
}

export const UNSUBSCRIBE_NAME = 'unsubscribe_url';

const OPENING = /\{\{|\{%/g;
const MAX_LISTED = 20;

/**
 * Finds the placeholders of one part, in their order. What is no placeholder of a known name is reported to the part.
 * @param decode turns the raw text between the braces into the name (HTML: character references)
 */
export function findPlaceholders(
  source: PartSource,
  fields: readonly string[],
  decode: (raw: string) => string = (raw) => raw,
): Placeholder[] {
  const found: Placeholder[] = [];
  const { text } = source;
  for (let opening = next(text, 0); opening; ) {
    const start = opening.index;
    const isTag = opening[0] === '{%';
    const close = text.indexOf(isTag ? '%}' : '}}', start + 2);
    const following = next(text, start + 2);
    if (close < 0 || (following && following.index < close)) {
      source.report(
        start,
        `A placeholder is opened with ${opening[0]} and not closed.`,
        'Close it, or remove the braces.',
      );
      opening = following;
      continue;
    }
    const inner = decode(text.slice(start + 2, close))
      .trim()
      .replace(/\s+/g, ' ');
    const names = isTag ? reportTag(source, start, inner) : resolveName(source, start, inner, fields);
    if (names !== null) found.push({ start, end: close + 2, names });
    opening = next(text, close + 2);
  }
  return found;
}

function next(text: string, from: number): RegExpExecArray | null {
  OPENING.lastIndex = from;
  return OPENING.exec(text);
}

function reportTag(source: PartSource, at: number, inner: string): null {
  source.report(
    at,
    `The tag {% ${inner} %} is not supported.`,
    'Use placeholders that name a field: {{ Field name }}.',
  );
  return null;
}

/** The exact name comes first, for lists whose fields differ by case only. */
function resolveName(
  source: PartSource,
  at: number,
  name: string,
  fields: readonly string[],
): Placeholder['names'] | null {
  if (name.toLowerCase() === UNSUBSCRIBE_NAME) return UNSUBSCRIBE_NAME;
  const written = fields.map((field) => field.trim().replace(/\s+/g, ' '));
  const exact = written.indexOf(name);
  const index = exact >= 0 ? exact : written.findIndex((field) => field.toLowerCase() === name.toLowerCase());
  if (index >= 0) return index;
  if (name.includes('|'))
    source.report(
      at,
      `Functions such as in {{ ${name} }} are not supported.`,
      'Name the field alone: {{ Field name }}.',
    );
  else source.report(at, `The list has no field "${name}".`, nameRemedy(name, fields));
  return null;
}

function nameRemedy(name: string, fields: readonly string[]): string {
  const known = [...fields, UNSUBSCRIBE_NAME];
  const close = closeNames(name, known).map((field) => `{{ ${field} }}`);
  if (close.length > 0) return `Did you mean ${close.join(' or ')}?`;
  const listed = known.slice(0, MAX_LISTED).join(', ');
  return `Use one of: ${listed}${known.length > MAX_LISTED ? ', …' : ''}.`;
}

/** Cuts a stretch of text at the placeholders in it. */
export function cutAtPlaceholders(
  text: string,
  start: number,
  end: number,
  placeholders: readonly Placeholder[],
): (string | Placeholder)[] {
  const pieces: (string | Placeholder)[] = [];
  let at = start;
  for (const placeholder of placeholders) {
    if (placeholder.start < start || placeholder.end > end) continue;
    if (placeholder.start > at) pieces.push(text.slice(at, placeholder.start));
    pieces.push(placeholder);
    at = placeholder.end;
  }
  if (at < end) pieces.push(text.slice(at, end));
  return pieces;
}
