import { escapeHeader, escapeHtml, escapeText, escapeUrl } from './escape.js';
import type { FieldSegment, Segment, TargetSegment } from './mail-program.js';
import { safeWebUrl, startsWithWebHost } from './safe-url.js';

/** One recipient's values in the order of the list's fields. NULL is rendered as nothing. */
export type FieldValues = readonly (string | null)[];

/** A value as it is written where it stands. */
export function renderField(segment: FieldSegment, values: FieldValues): string {
  const value = values[segment.field] ?? '';
  if (value === '') return '';
  switch (segment.escape) {
    case 'html':
    case 'attribute':
      return escapeHtml(value);
    case 'text':
      return escapeText(value);
    case 'header':
      return escapeHeader(value);
    case 'url':
      return escapeUrl(value);
    case 'url-start':
      return value.trim();
  }
}

/** A URL with its values, or null when it does not come out as an absolute http or https URL. */
export function renderTarget(target: readonly TargetSegment[], values: FieldValues): string | null {
  let url = '';
  for (const piece of target) {
    const text = typeof piece === 'string' ? piece : renderField(piece, values);
    if (typeof piece !== 'string' && piece.escape === 'url-start' && !startsWithWebHost(text)) return null;
    url += text;
  }
  return safeWebUrl(url);
}

/** Subject or from name as one line. What authors wrote is cleaned like what recipients are called. */
export function renderHeaderText(segments: readonly Segment[], values: FieldValues): string {
  let text = '';
  for (const segment of segments) {
    if (typeof segment === 'string') text += escapeHeader(segment);
    else if ('field' in segment) text += renderField(segment, values);
  }
  return text;
}
