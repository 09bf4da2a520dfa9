import type { HtmlAttribute, HtmlToken, StartTag } from './html-tokens.js';
import { COVER } from './template.js';

/** Where a placeholder or tag of the template stands in HTML. */
export type HtmlPlace =
  /** `conditional`: only some clients read it. */
  | { kind: 'text'; conditional: boolean }
  | { kind: 'attribute'; tag: StartTag; attribute: HtmlAttribute }
  /** No value is safe there. */
  | { kind: 'refused'; place: string; remedy: string };

const URL_ATTRIBUTES = new Set([
  'action',
  'archive',
  'background',
  'cite',
  'classid',
  'codebase',
  'data',
  'dynsrc',
  'formaction',
  'href',
  'icon',
  'longdesc',
  'lowsrc',
  'manifest',
  'ping',
  'poster',
  'profile',
  'src',
  'srcset',
  'imagesrcset',
  'usemap',
  'xlink:href',
]);

const IN_TEXT = 'Put it into the text or into a quoted attribute value.';

export function isUrlAttribute(name: string): boolean {
  return URL_ATTRIBUTES.has(name);
}

/** @param masked the source, with what stands between braces covered @param tokens of it, in their order */
export function placeOf(masked: string, tokens: readonly HtmlToken[], start: number, end: number): HtmlPlace {
  const token = tokens.find((candidate) => candidate.end > start);
  if (!token || token.start > start) return refuse('a declaration or an unfinished tag', IN_TEXT);
  if (token.kind === 'comment') return refuse('a comment', 'Remove the comment, or take the placeholder out of it.');
  if (token.kind === 'end') return refuse('a tag', IN_TEXT);
  if (token.end < end) return refuse('more than one element', 'Remove the tags between its braces.');
  if (token.kind === 'text' && token.raw !== null) return refuse(`<${token.raw}>`, IN_TEXT);
  if (token.kind === 'text') {
    // Text while the braces are there, a tag as soon as a value is: `<{{ x }}>`, and `</{{ x }}` in a title.
    const opensTag = /<\/?[a-z]*$/i.test(masked.slice(token.start, start));
    return opensTag ? refuse('the name of a tag', IN_TEXT) : { kind: 'text', conditional: token.conditional };
  }
  const attribute = token.attributes.find((one) => one.valueStart <= start && end <= one.valueEnd);
  if (!attribute) return refuse(`the tag <${token.name.replaceAll(COVER, '')}>, outside an attribute value`, IN_TEXT);
  return refusedAttribute(token, attribute) ?? { kind: 'attribute', tag: token, attribute };
}

function refusedAttribute(tag: StartTag, { name, quoted }: HtmlAttribute): HtmlPlace | null {
  if (!quoted) return refuse(`the unquoted attribute ${name}`, `Write quotation marks around it: ${name}="…".`);
  if (name.startsWith('on')) return refuse(`the event handler ${name}`, 'Mail clients run no scripts: remove it.');
  if (name === 'style') return refuse('a style attribute', 'Write the style out, without placeholders.');
  if (name === 'srcdoc' || (tag.name === 'meta' && tag.attributes.some((one) => one.name === 'http-equiv')))
    return refuse(`the attribute ${name} of <${tag.name}>`, IN_TEXT);
  // SVG can animate a link's target into anything.
  if (tag.name === 'animate' || tag.name === 'set') return refuse(`<${tag.name}>`, IN_TEXT);
  return null;
}

function refuse(place: string, remedy: string): HtmlPlace {
  return { kind: 'refused', place, remedy };
}
