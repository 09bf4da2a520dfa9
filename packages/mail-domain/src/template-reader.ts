import { applyFunctions, ExpressionError, ExpressionReader } from './expression-reader.js';
import type { ContentKind } from './mail-program.js';
import { TagReader } from './tag-reader.js';
import { COVER, type Construct, type Meaning, SPECIAL_LINKS, type Template } from './template.js';
import { addOnce, type TemplateContext } from './template-context.js';
import type { PartSource } from './template-problem.js';

/**
 * Reads one part: what stands between braces, and how its blocks lie in each other. What cannot be read is reported.
 * @param decode turns the raw text between the braces into what the author meant (HTML: character references)
 */
export function readTemplate(
  source: PartSource,
  context: TemplateContext,
  decode: (raw: string) => string = (raw) => raw,
): Template {
  const reader = new TemplateReader(source, context, decode);
  reader.read();
  const covered = source.text.split('');
  for (const { start, end } of reader.covered) covered.fill(COVER, start, end);
  return { constructs: reader.constructs, blocks: reader.tags.blocks, masked: covered.join('') };
}

const OPENING = /\{\{|\{%/g;
const END_OF_COMMENT = /\{%-?\s*endcomment\s*-?%\}/g;
const CLOSE_IT = 'Close it, or remove the braces.';
const CONTENT_KINDS: ReadonlyMap<string, ContentKind> = new Map([
  ['content', 'text'],
  ['content_html', 'html'],
  ['picture', 'picture'],
  ['attachment', 'attachment'],
]);

interface Stretch {
  start: number;
  end: number;
}

class TemplateReader {
  readonly constructs: Construct[] = [];
  readonly covered: Stretch[] = [];
  readonly tags: TagReader;

  constructor(
    private readonly source: PartSource,
    private readonly context: TemplateContext,
    private readonly decode: (raw: string) => string,
  ) {
    this.tags = new TagReader(source, context);
  }

  read(): void {
    const { text } = this.source;
    for (let opening = next(text, 0); opening; ) {
      const start = opening.index;
      const isTag = opening[0] === '{%';
      const close = text.indexOf(isTag ? '%}' : '}}', start + 2);
      const following = next(text, start + 2);
      if (close < 0 || (following && following.index < close)) {
        this.source.report(start, `A placeholder is opened with ${opening[0]} and not closed.`, CLOSE_IT);
        opening = following;
        continue;
      }
      opening = next(text, this.readConstruct(start, close, isTag));
    }
    this.tags.reportOpen();
  }

  /** @returns where it ends */
  private readConstruct(start: number, close: number, isTag: boolean): number {
    const [, before = '', raw = '', after = ''] =
      /^(-?)([\s\S]*?)(-?)$/.exec(this.source.text.slice(start + 2, close)) ?? [];
    const inner = this.decode(raw).trim();
    const stretch = this.withoutWhiteSpace({ start, end: close + 2 }, before !== '', after !== '');
    const construct: Construct = { ...stretch, means: { kind: 'nothing' } };
    this.covered.push(construct);
    try {
      if (isTag && inner === 'comment') construct.end = this.endOfComment(stretch);
      else if (isTag) this.tags.read(construct, inner);
      else construct.means = this.readOutput(inner);
      this.constructs.push(construct);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.source.report(start, error.message, error.remedy);
    }
    return construct.end;
  }

  /** `{{-` and `-}}` take the white space beside them away. */
  private withoutWhiteSpace({ start, end }: Stretch, before: boolean, after: boolean): Stretch {
    const { text } = this.source;
    const least = this.covered.at(-1)?.end ?? 0;
    return {
      start: before ? Math.max(least, text.slice(0, start).trimEnd().length) : start,
      end: after ? text.length - text.slice(end).trimStart().length : end,
    };
  }

  private endOfComment({ start, end }: Stretch): number {
    END_OF_COMMENT.lastIndex = end;
    if (END_OF_COMMENT.exec(this.source.text)) return END_OF_COMMENT.lastIndex;
    this.source.report(start, '{% comment %} is not closed.', 'Close it with {% endcomment %}.');
    return end;
  }

  private readOutput(inner: string): Meaning {
    const special = SPECIAL_LINKS.find((name) => name === inner.toLowerCase());
    if (special) return { kind: 'link', link: special };
    const named = this.tags.locals.has(inner) ? null : this.context.fields.find(inner);
    if (named !== null) return { kind: 'field', field: named };
    const reader = new ExpressionReader(inner, { ...this.context, locals: this.tags.locals });
    const { head, calls } = reader.readFiltered();
    reader.end();
    const [only] = calls;
    if (!only && head.field !== undefined) return { kind: 'field', field: head.field };
    const content = calls.length === 1 && only?.args.length === 0 ? CONTENT_KINDS.get(only.name) : undefined;
    if (content === undefined || head.field === undefined)
      return { kind: 'output', output: applyFunctions(head, calls) };
    addOnce(this.context.needs.content, { field: head.field, kind: content });
    return { kind: 'content', field: head.field, content };
  }
}

function next(text: string, from: number): RegExpExecArray | null {
  OPENING.lastIndex = from;
  return OPENING.exec(text);
}
