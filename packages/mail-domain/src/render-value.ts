import { escapeHeader, escapeHtml, escapeText, escapeUrl } from './escape.js';
import { type Flow, planFlow, runFlow } from './flow.js';
import type {
  ContentSegment,
  FieldEscape,
  FieldSegment,
  OutputSegment,
  Segment,
  TargetSegment,
} from './mail-program.js';
import { contentText } from './referenced-content.js';
import type { FieldValues } from './render-data.js';
import { RenderError } from './render-error.js';
import type { RenderScope } from './render-scope.js';
import { safeWebUrl, startsWithWebHost } from './safe-url.js';

/** What loops can make of a URL or a header before it is no more a URL or a header. */
const MAX_LENGTH = 1_000_000;

/** A value as it is written where it stands. */
function escapeValue(value: string, place: FieldEscape): string {
  if (value === '') return '';
  switch (place) {
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

/** NULL is nothing. */
export function renderField(segment: FieldSegment, fields: FieldValues): string {
  return escapeValue(fields[segment.field] ?? '', segment.escape);
}

export function renderValue(segment: FieldSegment | OutputSegment | ContentSegment, scope: RenderScope): string {
  if ('field' in segment) return renderField(segment, scope.fields);
  if ('output' in segment) return escapeValue(scope.text(segment.output), segment.escape);
  const text = contentText(segment, scope);
  // It was made safe as HTML.
  return segment.kind === 'html' && segment.escape === 'html' ? text : escapeValue(text, segment.escape);
}

export type TargetFlow = Flow<(string | FieldSegment | OutputSegment)[]>;

export function planTarget(target: readonly TargetSegment[]): TargetFlow {
  return planFlow(target, (run) => run);
}

/**
 * A URL with its values, or null when it does not come out as an absolute http or https URL. Which value comes first may
 * depend on the recipient: one that has something before it is a component.
 */
export function renderTarget(target: TargetFlow, scope: RenderScope): string | null {
  let url = '';
  let hasHost = true;
  runFlow(target, scope, (run) => {
    for (const piece of run) {
      if (typeof piece === 'string') url += piece;
      else if (piece.escape !== 'url-start') url += renderValue(piece, scope);
      else if (url.trim() !== '') url += renderValue({ ...piece, escape: 'url' }, scope);
      else {
        url = renderValue(piece, scope);
        hasHost &&= startsWithWebHost(url);
      }
    }
    checkLength(url);
  });
  return hasHost ? safeWebUrl(url) : null;
}

type HeaderRun = Exclude<Segment, { tag: string }>[];

/** Subject, from name or reply address as one line. What authors wrote is cleaned like what recipients are called. */
export function prepareHeaderText(segments: readonly Segment[]): (scope: RenderScope) => string {
  const flow = planFlow(segments, (run): HeaderRun => run);
  return (scope) => {
    let text = '';
    runFlow(flow, scope, (run) => {
      for (const segment of run) {
        if (typeof segment === 'string') text += escapeHeader(segment);
        else if ('escape' in segment) text += renderValue(segment, scope);
      }
      checkLength(text);
    });
    return text;
  };
}

function checkLength(text: string): void {
  if (text.length > MAX_LENGTH) throw new RenderError('A URL or a header of the mail does not end.');
}
