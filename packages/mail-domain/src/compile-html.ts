import { checkBlocks } from './html-blocks.js';
import { isUrlAttribute, placeOf } from './html-context.js';
import { nameOfLink, ownAttributes, reportRefusedSchemes, trackableHref } from './html-links.js';
import { decodeReferences, type HtmlAttribute, type HtmlToken, readHtmlTokens, type StartTag } from './html-tokens.js';
import type { LinkRegistry } from './link-registry.js';
import { endWithNewline, type Segment } from './mail-program.js';
import { PIXEL } from './pixel.js';
import { safeWebUrl, startsLikeWeb } from './safe-url.js';
import { readTarget } from './target.js';
import {
  type Construct,
  cutAtConstructs,
  loopsAround,
  plainSegments,
  type SpecialLink,
  type Template,
} from './template.js';
import type { TemplateContext } from './template-context.js';
import type { PartSource } from './template-problem.js';
import { readTemplate } from './template-reader.js';

interface Edit {
  start: number;
  end: number;
  segments: Segment[];
}

interface HtmlOptions {
  context: TemplateContext;
  linkTracking: boolean;
  links: LinkRegistry;
}

/** Their pictures can be parts of the mail. */
const PICTURE_ATTRIBUTES = new Set(['src', 'background']);

/** Compiles the HTML part: values, tags, links and pixel are cut in, every other character stays as it is. */
export function compileHtml(source: PartSource, options: HtmlOptions): Segment[] {
  const template = readTemplate(source, options.context, (raw) => decodeReferences(raw, true));
  const tokens = readHtmlTokens(template.masked);
  const edits: Edit[] = [];
  const held = new Map<HtmlAttribute, Construct[]>();
  for (const construct of template.constructs) {
    const place = placeOf(template.masked, tokens, construct.start, construct.end);
    if (place.kind === 'text') edits.push({ ...construct, segments: textSegments(source, construct, options.links) });
    else if (place.kind === 'attribute') held.set(place.attribute, [...(held.get(place.attribute) ?? []), construct]);
    else if (construct.means.kind === 'nothing') edits.push({ ...construct, segments: [] });
    else source.report(construct.start, `A placeholder cannot stand in ${place.place}.`, place.remedy);
  }
  checkBlocks(source, template, tokens);
  const compiler = new TagCompiler(source, template, tokens, held, options);
  for (const token of tokens) if (token.kind === 'start') edits.push(...compiler.compileTag(token));
  edits.push(pixelEdit(source.text, tokens));
  return applyEdits(source.text, edits);
}

function textSegments(source: PartSource, construct: Construct, links: LinkRegistry): Segment[] {
  const { means, start } = construct;
  if (means.kind === 'link') return [links.special(means.link)];
  if (means.kind !== 'content') return plainSegments(construct, 'html') ?? [];
  if (means.content !== 'picture') return [{ content: means.field, kind: means.content, escape: 'html' }];
  source.report(start, 'A picture cannot stand in text.', 'Write <img src="{{ Field name | picture }}">.');
  return [];
}

/** What changes in start tags. */
class TagCompiler {
  constructor(
    private readonly source: PartSource,
    private readonly template: Template,
    private readonly tokens: readonly HtmlToken[],
    private readonly held: ReadonlyMap<HtmlAttribute, Construct[]>,
    private readonly options: HtmlOptions,
  ) {}

  compileTag(tag: StartTag): Edit[] {
    reportRefusedSchemes(this.source, tag, isUrlAttribute);
    const own = ownAttributes(tag);
    const edits = own.map((attribute) => removal(this.source.text, attribute));
    for (const attribute of tag.attributes) {
      if (own.includes(attribute)) continue;
      edits.push(...(this.compileLink(tag, attribute) ?? this.compileAttribute(attribute)));
    }
    return edits;
  }

  /** @returns null when the attribute holds no target that is tracked */
  private compileLink(tag: StartTag, attribute: HtmlAttribute): Edit[] | null {
    const pieces = this.piecesOf(attribute);
    const special = attribute.name === 'href' ? specialLink(pieces) : null;
    if (special) return [replaceValue(attribute, [this.options.links.special(special)])];
    if (!this.options.linkTracking || trackableHref(tag) !== attribute) return null;
    const startsWithValue = typeof pieces.find((piece) => typeof piece !== 'string' || piece.trim()) === 'object';
    if (!startsWithValue && !startsLikeWeb(attribute.value.trimStart())) return null;
    const { segments, url } = readTarget(this.source, pieces, decodeReferences);
    const target = segments.every((piece) => typeof piece === 'string') ? this.staticTarget(attribute, url) : segments;
    const name = nameOfLink(this.source.text, this.tokens, tag);
    const shown = typeof target[0] === 'string' && target.length === 1 ? target[0] : url;
    const loops = loopsAround(this.template, tag.start);
    const link = this.options.links.add(this.source, attribute.start, { name, url: shown, target, loops });
    return [replaceValue(attribute, [link])];
  }

  private staticTarget(attribute: HtmlAttribute, url: string): string[] {
    const target = safeWebUrl(url);
    if (target === null) this.source.report(attribute.start, `"${url}" is no valid URL.`, 'Correct the link.');
    return [target ?? url];
  }

  /** Constructs in an attribute that stays where it is. */
  private compileAttribute(attribute: HtmlAttribute): Edit[] {
    const constructs = this.held.get(attribute) ?? [];
    if (constructs.length === 0) return [];
    const isUrl = isUrlAttribute(attribute.name);
    const pieces = this.piecesOf(attribute);
    if (isUrl && attribute.name.endsWith('srcset') && this.reportCandidate(attribute, constructs)) return [];
    const picture = PICTURE_ATTRIBUTES.has(attribute.name) ? pictureField(pieces) : null;
    if (picture !== null)
      return [replaceValue(attribute, [{ content: picture, kind: 'picture', escape: 'attribute' }])];
    if (isUrl) {
      const target = readTarget(this.source, pieces, decodeReferences);
      if (target.startsWithValue) return [replaceValue(attribute, [{ url: target.segments }])];
    }
    return constructs.map((construct) => ({ ...construct, segments: this.valueSegments(attribute, construct, isUrl) }));
  }

  private valueSegments({ name }: HtmlAttribute, construct: Construct, isUrl: boolean): Segment[] {
    const { means, start } = construct;
    const plain = plainSegments(construct, isUrl ? 'url' : 'attribute');
    // What is no piece of a URL was reported as such.
    if (plain || isUrl) return plain ?? [];
    if (means.kind === 'content' && means.content === 'text')
      return [{ content: means.field, kind: 'text', escape: 'attribute' }];
    if (means.kind === 'link')
      this.source.report(start, `{{ ${means.link} }} cannot stand in ${name}.`, 'Use it as the href of a link.');
    else this.source.report(start, `This content cannot stand in ${name}.`, 'Put it into the text.');
    return [];
  }

  /** In a list of URLs a value may stand within one, not at its start: what it is could not be checked. */
  private reportCandidate({ name, valueStart }: HtmlAttribute, constructs: readonly Construct[]): boolean {
    const first = constructs.find(
      ({ start, means }) => means.kind === 'tag' || /(^|[\s,])$/.test(this.template.masked.slice(valueStart, start)),
    );
    if (first)
      this.source.report(first.start, `A URL in ${name} cannot start with a placeholder.`, 'Start it with https://.');
    return first !== undefined;
  }

  private piecesOf(attribute: HtmlAttribute): (string | Construct)[] {
    const { valueStart, valueEnd } = attribute;
    return cutAtConstructs(this.source.text, valueStart, valueEnd, this.held.get(attribute) ?? []);
  }
}

/** The one construct of a value, when it has nothing else. */
function onlyConstruct(pieces: readonly (string | Construct)[]): Construct | null {
  const [only, ...rest] = pieces.filter((piece) => typeof piece !== 'string' || piece.trim() !== '');
  return rest.length === 0 && typeof only === 'object' ? only : null;
}

function specialLink(pieces: readonly (string | Construct)[]): SpecialLink | null {
  const means = onlyConstruct(pieces)?.means;
  return means?.kind === 'link' ? means.link : null;
}

function pictureField(pieces: readonly (string | Construct)[]): number | null {
  const means = onlyConstruct(pieces)?.means;
  return means?.kind === 'content' && means.content === 'picture' ? means.field : null;
}

/** With quotes of its own when the source has none. */
function replaceValue({ valueStart: start, valueEnd: end, quoted }: HtmlAttribute, segments: Segment[]): Edit {
  return { start, end, segments: quoted ? segments : ['"', ...segments, '"'] };
}

/** An attribute and the white space before it. */
function removal(text: string, { start, end }: HtmlAttribute): Edit {
  const before = text.slice(0, start);
  return { start: before.trimEnd().length, end, segments: [] };
}

function pixelEdit(text: string, tokens: readonly HtmlToken[]): Edit {
  const closing = (name: string) =>
    tokens.findLast((token) => token.kind === 'end' && token.name === name && !token.conditional)?.start;
  const at = closing('body') ?? closing('html') ?? text.length;
  return { start: at, end: at, segments: PIXEL };
}

function applyEdits(text: string, edits: readonly Edit[]): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    segments.push(text.slice(at, edit.start), ...edit.segments);
    at = edit.end;
  }
  return endWithNewline([...segments, text.slice(at)]);
}
