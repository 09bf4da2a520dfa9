import { decodeReferences, type HtmlAttribute, type HtmlToken, type StartTag } from './html-tokens.js';
import { schemeOf } from './safe-url.js';
import type { PartSource } from './template-problem.js';

/** Attributes that are for us and not for the recipient. */
const OWN_ATTRIBUTES = new Set(['data-track', 'data-link-name']);
const REFUSED_SCHEMES = new Set(['javascript', 'vbscript']);
const FOLLOWED_ATTRIBUTES = new Set(['href', 'xlink:href', 'action', 'formaction']);

export function attributeOf(tag: StartTag, name: string): HtmlAttribute | undefined {
  return tag.attributes.find((attribute) => attribute.name === name);
}

/** The attribute that holds the target of a link that could be tracked. */
export function trackableHref(tag: StartTag): HtmlAttribute | undefined {
  if (tag.name !== 'a' && tag.name !== 'area') return undefined;
  if (attributeOf(tag, 'data-track')?.value.trim().toLowerCase() === 'off') return undefined;
  return attributeOf(tag, 'href');
}

/** `data-track="off"` and `data-link-name` of links: they are taken out of the mail. */
export function ownAttributes(tag: StartTag): HtmlAttribute[] {
  if (tag.name !== 'a' && tag.name !== 'area') return [];
  return tag.attributes.filter(({ name }) => OWN_ATTRIBUTES.has(name));
}

/** What the link is called in the response files: the author's name for it, else what the reader sees; '' when nothing. */
export function nameOfLink(source: string, tokens: readonly HtmlToken[], tag: StartTag): string {
  for (const name of ['data-link-name', 'title', 'aria-label']) {
    const value = writtenValue(source, attributeOf(tag, name)).trim();
    if (value) return value;
  }
  const seen = tag.name === 'a' ? readContent(source, tokens, tag) : { text: '', alt: '' };
  return seen.text || seen.alt || writtenValue(source, attributeOf(tag, 'alt'));
}

/** With its placeholders, which the tokens do not show. */
function writtenValue(source: string, attribute: HtmlAttribute | undefined): string {
  return attribute ? decodeReferences(source.slice(attribute.valueStart, attribute.valueEnd)) : '';
}

/** What stands between an <a> and its end: the raw text, and the first alternative text of a picture. */
function readContent(source: string, tokens: readonly HtmlToken[], tag: StartTag): { text: string; alt: string } {
  let text = '';
  let alt = '';
  for (const token of tokens.slice(tokens.indexOf(tag) + 1)) {
    if (token.kind !== 'text' && token.kind !== 'comment' && token.name === 'a') break;
    if (token.kind === 'text' && token.raw === null) text += source.slice(token.start, token.end);
    if (token.kind === 'start' && token.name === 'img') alt ||= writtenValue(source, attributeOf(token, 'alt')).trim();
  }
  return { text: text.trim(), alt };
}

/** Reports URLs that would run something: mail clients block them, and filters the mail. */
export function reportRefusedSchemes(source: PartSource, tag: StartTag, isUrl: (name: string) => boolean): void {
  for (const { name, value, start } of tag.attributes) {
    if (!isUrl(name)) continue;
    const scheme = schemeOf(value);
    if (REFUSED_SCHEMES.has(scheme) || (scheme === 'data' && FOLLOWED_ATTRIBUTES.has(name)))
      source.report(start, `A ${scheme}: URL in ${name} of <${tag.name}> runs code.`, 'Use an http or https URL.');
  }
}
