import type { TargetSegment } from './mail-program.js';
import type { Placeholder } from './placeholder.js';
import type { PartSource } from './template-problem.js';

/** A URL of the template. */
export interface Target {
  segments: TargetSegment[];
  /** As written, with placeholders and decoded references. */
  url: string;
  /** It begins with a value: what it leads to is known when the mail is made. */
  startsWithValue: boolean;
}

/**
 * Puts the pieces of a URL together, without the white space around it. The unsubscribe link is no piece of a URL: it is
 * reported.
 */
export function readTarget(
  source: PartSource,
  pieces: readonly (string | Placeholder)[],
  decode: (raw: string) => string,
): Target {
  const segments: TargetSegment[] = [];
  let url = '';
  for (const [i, piece] of pieces.entries()) {
    if (typeof piece === 'string') {
      let text = decode(piece);
      if (i === 0) text = text.trimStart();
      if (i === pieces.length - 1) text = text.trimEnd();
      url += text;
      if (text !== '') segments.push(text);
    } else if (piece.names === 'unsubscribe_url') {
      source.report(
        piece.start,
        '{{ unsubscribe_url }} is a whole link and cannot be a part of one.',
        'Write it alone.',
      );
    } else {
      segments.push({ field: piece.names, escape: segments.length === 0 ? 'url-start' : 'url' });
      url += source.text.slice(piece.start, piece.end);
    }
  }
  return { segments, url, startsWithValue: typeof segments[0] === 'object' };
}
