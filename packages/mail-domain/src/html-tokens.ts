import { type DefaultTreeAdapterMap, Parser, parseFragment, type Token } from 'parse5';

export interface HtmlAttribute {
  /** In lower case. */
  name: string;
  /** With character references decoded. */
  value: string;
  /** The whole attribute in the source. */
  start: number;
  end: number;
  /** The raw value in the source, without its quotes. */
  valueStart: number;
  valueEnd: number;
  quoted: boolean;
}

interface Stretch {
  start: number;
  end: number;
  /** Inside a conditional comment, which only some clients read. */
  conditional: boolean;
}

export interface StartTag extends Stretch {
  kind: 'start';
  name: string;
  attributes: HtmlAttribute[];
}

export type HtmlToken =
  | StartTag
  | (Stretch & { kind: 'end'; name: string })
  /** `raw`: the element whose text no parser decodes (script, style), or null. */
  | (Stretch & { kind: 'text'; raw: string | null })
  | (Stretch & { kind: 'comment' });

const RAW_TEXT = new Set(['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext']);
const CONDITIONAL_OPENING = /^<!--\[if [^\]]*\]>/;
const CONDITIONAL_CLOSING = '<![endif]-->';

/**
 * What the standard's parser reads in the source, in order and with offsets. Tokens are taken on their way into the tree
 * builder, which tells the tokenizer about scripts and foreign content; the tree itself drops and moves what stands in
 * odd places. The content of conditional comments is read likewise.
 */
export function readHtmlTokens(source: string): HtmlToken[] {
  return readStretch(source, 0, source.length, false);
}

function readStretch(source: string, start: number, end: number, conditional: boolean): HtmlToken[] {
  const recorder = new Recorder(source, start, conditional);
  recorder.tokenizer.write(source.slice(start, end), true);
  return recorder.tokens.flatMap((token) => {
    const inner = token.kind === 'comment' && !conditional ? conditionalContent(source, token) : null;
    return inner ? readStretch(source, inner.start, inner.end, true) : [token];
  });
}

/** Where the content of a conditional comment stands, as Outlook reads it; null for other comments. */
function conditionalContent(source: string, comment: Stretch): { start: number; end: number } | null {
  const text = source.slice(comment.start, comment.end);
  const opening = CONDITIONAL_OPENING.exec(text)?.[0];
  if (opening === undefined || !text.endsWith(CONDITIONAL_CLOSING)) return null;
  const end = comment.end - CONDITIONAL_CLOSING.length;
  return comment.start + opening.length <= end ? { start: comment.start + opening.length, end } : null;
}

class Recorder extends Parser<DefaultTreeAdapterMap> {
  readonly tokens: HtmlToken[] = [];
  private reached = -1;

  constructor(
    private readonly source: string,
    private readonly offset: number,
    private readonly conditional: boolean,
  ) {
    // Mail clients run no scripts: what is in <noscript> is markup.
    super({ sourceCodeLocationInfo: true, scriptingEnabled: false });
  }

  override onStartTag(token: Token.TagToken): void {
    // Copied: the tree builder renames attributes of SVG in place.
    const attributes = token.attrs.flatMap(({ name, value }) => {
      const location = token.location?.attrs?.[name];
      return location ? [this.locateAttribute(name, value, location)] : [];
    });
    this.record(token.location, (stretch) => ({ ...stretch, kind: 'start', name: token.tagName, attributes }));
    super.onStartTag(token);
  }

  override onEndTag(token: Token.TagToken): void {
    this.record(token.location, (stretch) => ({ ...stretch, kind: 'end', name: token.tagName }));
    super.onEndTag(token);
  }

  override onComment(token: Token.CommentToken): void {
    this.record(token.location, (stretch) => ({ ...stretch, kind: 'comment' }));
    super.onComment(token);
  }

  override onCharacter(token: Token.CharacterToken): void {
    this.recordText(token);
    super.onCharacter(token);
  }

  override onWhitespaceCharacter(token: Token.CharacterToken): void {
    this.recordText(token);
    super.onWhitespaceCharacter(token);
  }

  override onNullCharacter(token: Token.CharacterToken): void {
    this.recordText(token);
    super.onNullCharacter(token);
  }

  /** Text arrives in runs with and without white space: they become one token. */
  private recordText(token: Token.CharacterToken): void {
    const last = this.tokens.at(-1);
    const start = (token.location?.startOffset ?? 0) + this.offset;
    if (last?.kind === 'text' && last.end === start) {
      last.end = (token.location?.endOffset ?? 0) + this.offset;
      this.reached = last.end;
      return;
    }
    const raw = last?.kind === 'start' && RAW_TEXT.has(last.name) ? last.name : null;
    this.record(token.location, (stretch) => ({ ...stretch, kind: 'text', raw }));
  }

  /** The tree builder hands some tokens to itself again: what was recorded is not recorded twice. */
  private record(location: Token.Location | null, make: (stretch: Stretch) => HtmlToken): void {
    if (!location) return;
    const start = location.startOffset + this.offset;
    if (start < this.reached) return;
    this.reached = location.endOffset + this.offset;
    this.tokens.push(make({ start, end: this.reached, conditional: this.conditional }));
  }

  private locateAttribute(name: string, value: string, location: Token.Location): HtmlAttribute {
    const start = location.startOffset + this.offset;
    const end = location.endOffset + this.offset;
    const [opening = '', quote = ''] = /^\s*=\s*(["']?)/.exec(this.source.slice(start + name.length, end)) ?? [];
    const valueStart = start + name.length + opening.length;
    return { name, value, start, end, valueStart, valueEnd: end - quote.length, quoted: quote !== '' };
  }
}

/** Decodes the character references of a raw attribute value or, when `inText`, of text. */
export function decodeReferences(raw: string, inText = false): string {
  if (!raw.includes('&')) return raw;
  if (!inText) {
    const [element] = parseFragment(`<a t="${raw.replaceAll('"', '&quot;')}">`).childNodes;
    return element && 'attrs' in element ? (element.attrs[0]?.value ?? '') : '';
  }
  const [text] = parseFragment(raw.replaceAll('<', '&lt;')).childNodes;
  return text && 'value' in text ? text.value : '';
}
