import { isBalanced } from './flow.js';
import type { LinkRegistry } from './link-registry.js';
import { endWithNewline, isTag, type Segment } from './mail-program.js';
import { safeWebUrl } from './safe-url.js';
import { readTarget } from './target.js';
import { COVER, type Construct, cutAtConstructs, loopsAround, plainSegments, type Template } from './template.js';
import type { TemplateContext } from './template-context.js';
import type { PartSource } from './template-problem.js';
import { readTemplate } from './template-reader.js';
import { textOfHtml } from './text-of-html.js';

/** The text part of a mail that has none: made from the compiled HTML, with the same links and values. */
export function textFromHtml(source: PartSource, html: readonly Segment[]): Segment[] {
  const mark = unusedCharacter(html);
  const marked = html.map((segment, i) => (typeof segment === 'string' ? segment : `${mark}${i}${mark}`)).join('');
  const tags = html.flatMap((segment, i) => (isTag(segment) ? [i] : []));
  // Every second piece is the index of a segment.
  const pieces = withoutTagLines(textOfHtml(marked), mark, new Set(tags)).split(mark);
  const kept = new Set(pieces.filter((_piece, i) => i % 2 === 1).map(Number));
  const lost = tags.filter((i) => !kept.has(i));
  // Assignments outside of the body or in hidden elements count all the same.
  const assignments = lost.map((i) => html[i] ?? '').filter((segment) => isTag(segment) && segment.tag === 'assign');
  const segments = pieces.map((piece, i) => (i % 2 === 0 ? piece : asText(html[Number(piece)] ?? '')));
  if (!isBalanced(segments))
    source.report(0, 'No text part can be made of this HTML: a block is hidden in part.', 'Write a text part.');
  return endWithNewline([...assignments, ...segments]);
}

/** A private-use character that the mail does not hold: it stands for itself in every step of the conversion. */
function unusedCharacter(html: readonly Segment[]): string {
  const used = new Set(html.filter((segment) => typeof segment === 'string').join(''));
  for (let code = 0xe000; code < 0xf8ff; code += 1)
    if (!used.has(String.fromCharCode(code))) return String.fromCharCode(code);
  throw new RangeError('the HTML uses every private-use character');
}

/** A line that holds tags of blocks only is no line of the text. */
function withoutTagLines(text: string, mark: string, tags: ReadonlySet<number>): string {
  if (tags.size === 0) return text;
  const lines = text.split('\n');
  const isTagLine = (line: string) => {
    const pieces = line.split(mark);
    return (
      pieces.length > 1 && pieces.every((piece, i) => (i % 2 === 0 ? piece.trim() === '' : tags.has(Number(piece))))
    );
  };
  let joined = '';
  let isBlank = true;
  let skipsBlank = false;
  for (const [i, line] of lines.entries()) {
    if (skipsBlank && line.trim() === '') continue;
    const isTag = isTagLine(line);
    // Of the blank lines before and behind the tags one set is enough.
    skipsBlank = isTag && isBlank;
    joined += isTag ? line.trim() : line + (i === lines.length - 1 ? '' : '\n');
    if (!isTag) isBlank = line.trim() === '';
  }
  return joined;
}

function asText(segment: Segment): Segment {
  if (typeof segment === 'string' || !('escape' in segment) || segment.escape === 'url') return segment;
  return { ...segment, escape: 'text' };
}

interface TextOptionsGiven {
  context: TemplateContext;
  linkTracking: boolean;
  links: LinkRegistry;
}

/** Compiles a text part that an author wrote. Its http and https URLs are links of their own. */
export function compileText(source: PartSource, options: TextOptionsGiven): Segment[] {
  const { text } = source;
  const template = readTemplate(source, options.context);
  const segments: Segment[] = [];
  let at = 0;
  for (const { start, end } of findUrls(source, template)) {
    segments.push(...textSegments(source, at, start, template, options.links));
    segments.push(...urlSegments(source, start, end, template, options));
    at = end;
  }
  segments.push(...textSegments(source, at, text.length, template, options.links));
  return endWithNewline(segments);
}

function textSegments(
  source: PartSource,
  start: number,
  end: number,
  { constructs }: Template,
  links: LinkRegistry,
): Segment[] {
  return cutAtConstructs(source.text, start, end, constructs).flatMap((piece): Segment[] => {
    if (typeof piece === 'string') return [piece];
    const { means } = piece;
    if (means.kind === 'link') return [links.special(means.link)];
    if (means.kind !== 'content') return plainSegments(piece, 'text') ?? [];
    if (means.content !== 'picture') return [{ content: means.field, kind: means.content, escape: 'text' }];
    source.report(piece.start, 'A picture cannot stand in the text part.', 'Use it in the HTML.');
    return [];
  });
}

function urlSegments(
  source: PartSource,
  start: number,
  end: number,
  template: Template,
  { linkTracking, links }: TextOptionsGiven,
): Segment[] {
  const pieces = cutAtConstructs(source.text, start, end, template.constructs);
  const { segments, url } = readTarget(source, pieces, (raw) => raw);
  const isStatic = segments.every((piece) => typeof piece === 'string');
  const target = isStatic ? safeWebUrl(url) : null;
  // Something like "https://" in running text is no link and stays as it is.
  if (!linkTracking || (isStatic && target === null)) return segments;
  const loops = loopsAround(template, start);
  return [
    links.add(source, start, { name: '', url: target ?? url, target: target === null ? segments : [target], loops }),
  ];
}

/**
 * URLs end at white space, quotes, angle brackets and tags of the template; punctuation at their end belongs to the
 * sentence. A value within a URL may hold spaces: it counts as a part of the URL.
 */
function findUrls(source: PartSource, { constructs }: Template): { start: number; end: number }[] {
  const masked = cutAtConstructs(source.text, 0, source.text.length, constructs)
    .map((piece) => (typeof piece === 'string' ? piece : coverOf(piece).repeat(piece.end - piece.start)))
    .join('');
  return [...masked.matchAll(/\bhttps?:\/\/[^\s<>"]+/gi)].map(({ index, 0: match }) => {
    const end = index + match.length;
    const opening = constructs.find(
      ({ start, means }) => start === end && means.kind === 'tag' && opensBlock(means.tag.tag),
    );
    if (opening) source.report(end, 'A URL runs into a tag.', 'Put the whole URL inside, or a space before the tag.');
    return { start: index, end: index + withoutPunctuation(match).length };
  });
}

const opensBlock = (tag: string): boolean => tag === 'if' || tag === 'for';

const coverOf = ({ means }: Construct): string => (means.kind === 'tag' || means.kind === 'nothing' ? ' ' : COVER);

function withoutPunctuation(url: string): string {
  const shorter = url.replace(/[.,;:!?'*_]+$/, '');
  const closes = shorter.endsWith(')') && shorter.split(')').length > shorter.split('(').length;
  if (closes) return withoutPunctuation(shorter.slice(0, -1));
  return shorter;
}
