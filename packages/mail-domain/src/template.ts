import type { ContentKind, FieldEscape, TagSegment, TargetSegment } from './mail-program.js';

export const SPECIAL_LINKS = ['unsubscribe_url', 'web_version_url'] as const;
export type SpecialLink = (typeof SPECIAL_LINKS)[number];

/** What a `{{ … }}` or `{% … %}` asks for. */
export type Meaning =
  | { kind: 'field'; field: number }
  | { kind: 'output'; output: string }
  | { kind: 'content'; field: number; content: ContentKind }
  | { kind: 'link'; link: SpecialLink }
  | { kind: 'tag'; tag: TagSegment }
  /** Nothing of it is left in the mail. */
  | { kind: 'nothing' };

/** A `{{ … }}` or `{% … %}` and where it stands. */
export interface Construct {
  start: number;
  end: number;
  means: Meaning;
}

/** A block: its opening tag, those between, its end. */
export interface Block {
  tags: Construct[];
  /** How often a loop runs at most; null for the others. */
  rounds: number | null;
  /** What is repeated ends here: at the block's end, or at the `{% else %}` of a loop. */
  repeatedTo: number;
}

/** One part of a source mailing, read. */
export interface Template {
  constructs: Construct[];
  blocks: Block[];
  /** The text with every construct covered, so that what stands in it is neither HTML nor a URL. As long as the text. */
  masked: string;
}

/** Stands in a masked text. No tag starts with it, it is no white space, and nobody's name holds it. */
export const COVER = '\uE000';

/** How often each loop around a place runs at most, the outermost first. */
export function loopsAround({ blocks }: Template, offset: number): number[] {
  return blocks
    .filter(({ tags, repeatedTo }) => (tags[0]?.end ?? 0) <= offset && offset < repeatedTo)
    .toSorted((a, b) => (a.tags[0]?.start ?? 0) - (b.tags[0]?.start ?? 0))
    .flatMap(({ rounds }) => rounds ?? []);
}

/** Cuts a stretch of text at the constructs in it. */
export function cutAtConstructs(
  text: string,
  start: number,
  end: number,
  constructs: readonly Construct[],
): (string | Construct)[] {
  const pieces: (string | Construct)[] = [];
  let at = start;
  for (const construct of constructs) {
    if (construct.start < start || construct.end > end) continue;
    if (construct.start > at) pieces.push(text.slice(at, construct.start));
    pieces.push(construct);
    at = construct.end;
  }
  if (at < end) pieces.push(text.slice(at, end));
  return pieces;
}

/** A construct that is written in the same way in every place; null for links and referenced content. */
export function plainSegments({ means }: Construct, place: FieldEscape): TargetSegment[] | null {
  switch (means.kind) {
    case 'field':
      return [{ field: means.field, escape: place }];
    case 'output':
      return [{ output: means.output, escape: place }];
    case 'tag':
      return [means.tag];
    case 'nothing':
      return [];
    default:
      return null;
  }
}
