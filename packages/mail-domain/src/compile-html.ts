import { isUrlAttribute, placeOf } from './html-context.js';
import { nameOfLink, ownAttributes, reportRefusedSchemes, trackableHref } from './html-links.js';
import { decodeReferences, type HtmlAttribute, type HtmlToken, readHtmlTokens, type StartTag } from './html-tokens.js';
import type { LinkRegistry } from './link-registry.js';
import { endWithNewline, PIXEL_ORDINAL, type Segment, UNSUBSCRIBE_ORDINAL } from './mail-program.js';
import { cutAtPlaceholders, findPlaceholders, type Placeholder } from './placeholder.js';
import { safeWebUrl, startsLikeWeb } from './safe-url.js';
import { readTarget } from './target.js';
import type { PartSource } from './template-problem.js';

interface Edit {
  start: number;
  end: number;
  segments: Segment[];
}

interface HtmlOptions {
  fields: readonly string[];
  linkTracking: boolean;
  links: LinkRegistry;
}

const PIXEL: Segment[] = ['<img src="', { link: PIXEL_ORDINAL }, '" width="1" height="1" alt="">'];

/** Compiles the HTML part: placeholders, links and pixel are cut in, every other character stays as it is. */
export function compileHtml(source: PartSource, options: HtmlOptions): Segment[] {
  const tokens = readHtmlTokens(source.text);
  const placeholders = findPlaceholders(source, options.fields, (raw) => decodeReferences(raw, true));
  const edits: Edit[] = [];
  const values = new Map<HtmlAttribute, Placeholder[]>();
  for (const placeholder of placeholders) {
    const place = placeOf(source.text, tokens, placeholder.start, placeholder.end);
    if (place.kind === 'text') edits.push({ ...placeholder, segments: [textSegment(placeholder)] });
    else if (place.kind === 'attribute')
      values.set(place.attribute, [...(values.get(place.attribute) ?? []), placeholder]);
    else source.report(placeholder.start, `A placeholder cannot stand in ${place.place}.`, place.remedy);
  }
  const compiler = new TagCompiler(source, tokens, values, options);
  for (const token of tokens) if (token.kind === 'start') edits.push(...compiler.compileTag(token));
  edits.push(pixelEdit(source.text, tokens));
  return applyEdits(source.text, edits);
}

function textSegment({ names }: Placeholder): Segment {
  return names === 'unsubscribe_url' ? { link: UNSUBSCRIBE_ORDINAL } : { field: names, escape: 'html' };
}

/** What changes in start tags. */
class TagCompiler {
  constructor(
    private readonly source: PartSource,
    private readonly tokens: readonly HtmlToken[],
    private readonly values: ReadonlyMap<HtmlAttribute, Placeholder[]>,
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
    if (attribute.name === 'href' && isUnsubscribe(pieces))
      return [replaceValue(attribute, [{ link: UNSUBSCRIBE_ORDINAL }])];
    if (!this.options.linkTracking || trackableHref(tag) !== attribute) return null;
    const startsWithValue = typeof pieces.find((piece) => typeof piece !== 'string' || piece.trim()) === 'object';
    if (!startsWithValue && !startsLikeWeb(attribute.value.trimStart())) return null;
    const { segments, url } = readTarget(this.source, pieces, decodeReferences);
    const target = segments.every((piece) => typeof piece === 'string') ? this.staticTarget(attribute, url) : segments;
    const name = nameOfLink(this.source.text, this.tokens, tag);
    const shown = typeof target[0] === 'string' && target.length === 1 ? target[0] : url;
    const ordinal = this.options.links.add(this.source, attribute.start, name, shown, target);
    return [replaceValue(attribute, [{ link: ordinal }])];
  }

  private staticTarget(attribute: HtmlAttribute, url: string): string[] {
    const target = safeWebUrl(url);
    if (target === null) this.source.report(attribute.start, `"${url}" is no valid URL.`, 'Correct the link.');
    return [target ?? url];
  }

  /** Placeholders in an attribute that stays where it is. */
  private compileAttribute(attribute: HtmlAttribute): Edit[] {
    const placeholders = this.values.get(attribute) ?? [];
    if (placeholders.length === 0) return [];
    const isUrl = isUrlAttribute(attribute.name);
    if (isUrl && attribute.name.endsWith('srcset') && this.reportCandidate(attribute, placeholders)) return [];
    if (isUrl) {
      const target = readTarget(this.source, this.piecesOf(attribute), decodeReferences);
      if (target.startsWithValue) return [replaceValue(attribute, [{ url: target.segments }])];
    }
    return placeholders.flatMap(({ start, end, names }) => {
      if (names !== 'unsubscribe_url')
        return [{ start, end, segments: [{ field: names, escape: isUrl ? 'url' : 'attribute' }] }];
      if (!isUrl)
        this.source.report(
          start,
          `{{ unsubscribe_url }} cannot stand in ${attribute.name}.`,
          'Use it as the href of a link.',
        );
      return [];
    });
  }

  /** In a list of URLs a value may stand within one, not at its start: what it is could not be checked. */
  private reportCandidate(attribute: HtmlAttribute, placeholders: readonly Placeholder[]): boolean {
    const first = placeholders.find(({ start }) =>
      /(^|[\s,])$/.test(this.source.text.slice(attribute.valueStart, start)),
    );
    if (first)
      this.source.report(
        first.start,
        `A URL in ${attribute.name} cannot start with a placeholder.`,
        'Start it with https://.',
      );
    return first !== undefined;
  }

  private piecesOf(attribute: HtmlAttribute): (string | Placeholder)[] {
    const { valueStart, valueEnd } = attribute;
    return cutAtPlaceholders(this.source.text, valueStart, valueEnd, this.values.get(attribute) ?? []);
  }
}

function isUnsubscribe(pieces: readonly (string | Placeholder)[]): boolean {
  const [only, ...rest] = pieces.filter((piece) => typeof piece !== 'string' || piece.trim() !== '');
  return rest.length === 0 && typeof only === 'object' && only.names === 'unsubscribe_url';
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
