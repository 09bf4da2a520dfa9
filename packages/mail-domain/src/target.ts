import type { TargetSegment } from './mail-program.js';
import { type Construct, plainSegments } from './template.js';
import type { PartSource } from './template-problem.js';

/** A URL of the template. */
export interface Target {
  segments: TargetSegment[];
  /** As written, with placeholders and decoded references. */
  url: string;
  /** It begins with a value or a tag: what it leads to is known when the mail is made. */
  startsWithValue: boolean;
}

/**
 * Puts the pieces of a URL together, without the white space around it. A value that may come first has `url-start`. Whole
 * links and referenced content are no pieces of a URL: they are reported.
 */
export function readTarget(
  source: PartSource,
  pieces: readonly (string | Construct)[],
  decode: (raw: string) => string,
): Target {
  const segments: TargetSegment[] = [];
  let url = '';
  let depth = 0;
  let started = false;
  for (const [i, piece] of pieces.entries()) {
    if (typeof piece === 'string') {
      let text = decode(piece);
      if (i === 0) text = text.trimStart();
      if (i === pieces.length - 1) text = text.trimEnd();
      url += text;
      if (text !== '') segments.push(text);
      started ||= depth === 0 && text !== '';
      continue;
    }
    url += source.text.slice(piece.start, piece.end);
    const { means } = piece;
    if (means.kind === 'tag')
      depth += means.tag.tag === 'if' || means.tag.tag === 'for' ? 1 : means.tag.tag === 'end' ? -1 : 0;
    segments.push(...(plainSegments(piece, started ? 'url' : 'url-start') ?? reportPiece(source, piece)));
    started ||= depth === 0 && (means.kind === 'field' || means.kind === 'output');
  }
  return { segments, url, startsWithValue: typeof segments[0] === 'object' };
}

function reportPiece(source: PartSource, { start, means }: Construct): [] {
  if (means.kind === 'link')
    source.report(start, `{{ ${means.link} }} is a whole link and cannot be a part of one.`, 'Write it alone.');
  else source.report(start, 'Referenced content cannot be a part of a URL.', 'Use the field alone: {{ Field name }}.');
  return [];
}
