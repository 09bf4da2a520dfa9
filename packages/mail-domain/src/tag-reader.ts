import { applyFunctions, ExpressionError, ExpressionReader, type LocalKind } from './expression-reader.js';
import { readFor, readItemName } from './for-tag.js';
import type { TagSegment } from './mail-program.js';
import type { Block, Construct } from './template.js';
import { addOnce, type TemplateContext } from './template-context.js';
import type { PartSource } from './template-problem.js';

const FOREIGN_TAGS: ReadonlyMap<string, string> = new Map([
  ...['include', 'render', 'layout', 'block'].map(
    (tag) => [tag, 'A mailing reads no other files: write it out.'] as const,
  ),
  ...['increment', 'decrement', 'cycle'].map((tag) => [tag, 'In a loop, use {{ forloop.index }}.'] as const),
  ...['break', 'continue'].map((tag) => [tag, 'Use {% if %} in the loop, or its limit.'] as const),
  ['raw', 'Write {{ "{{" }} for two braces.'],
  ['capture', 'Use {% assign name = … %} with functions.'],
  ['tablerow', 'Use {% for %} and write the rows out.'],
]);

/** A tag that the language does not have. */
function unknownTag(word: string): ExpressionError {
  return new ExpressionError(
    `The tag {% ${word} %} is not supported.`,
    FOREIGN_TAGS.get(word) ?? 'Use if, elsif, else, unless, case, when, for, assign or comment, and their ends.',
  );
}

type BlockWord = 'if' | 'unless' | 'case' | 'for';

interface OpenBlock {
  word: BlockWord;
  tags: Construct[];
  rounds: number | null;
  elseAt: number | null;
  /** Of a `case`: what is compared. */
  compared: string;
  /** Of a loop: what its own names meant outside. */
  outside: Map<string, LocalKind | undefined>;
}

const RESERVED = new Set(['fields', 'forloop', 'true', 'false', 'nil', 'null', 'empty', 'blank', 'in', 'and', 'or']);

/** Reads the tags of one part in their order: blocks, and the names that they give. */
export class TagReader {
  readonly blocks: Block[] = [];
  readonly locals = new Map<string, LocalKind>();
  private readonly open: OpenBlock[] = [];

  constructor(
    private readonly source: PartSource,
    private readonly context: TemplateContext,
  ) {}

  /** @param construct gets its meaning @throws ExpressionError */
  read(construct: Construct, inner: string): void {
    const [, word = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(inner) ?? [];
    const reader = new ExpressionReader(rest, { ...this.context, locals: this.locals });
    const tag = this.readTag(construct, word, reader);
    reader.end();
    if (tag) construct.means = { kind: 'tag', tag };
  }

  reportOpen(): void {
    for (const { word, tags } of this.open)
      this.source.report(tags[0]?.start ?? 0, `{% ${word} %} is not closed.`, `Close it with {% end${word} %}.`);
  }

  /** @returns null for a tag that leaves nothing in the program */
  private readTag(construct: Construct, word: string, reader: ExpressionReader): TagSegment | null {
    switch (word) {
      case 'if':
        this.begin(word, construct);
        return { tag: 'if', test: reader.readCondition() };
      case 'unless':
        this.begin(word, construct);
        return { tag: 'if', test: reader.readCondition(), negated: true };
      case 'elsif':
        this.goOn(construct, word, ['if', 'unless']);
        return { tag: 'elsif', test: reader.readCondition() };
      case 'case':
        this.begin(word, construct).compared = reader.readOperand(true).code;
        return null;
      case 'when':
        return this.readWhen(construct, reader);
      case 'else':
        return this.readElse(construct);
      case 'for':
        return this.readFor(construct, reader);
      case 'assign':
        return this.readAssign(reader);
      case 'endif':
      case 'endunless':
      case 'endcase':
      case 'endfor':
        return this.close(construct, word);
      default:
        throw unknownTag(word);
    }
  }

  private begin(word: BlockWord, construct: Construct): OpenBlock {
    const block: OpenBlock = { word, tags: [construct], rounds: null, elseAt: null, compared: '', outside: new Map() };
    this.open.push(block);
    return block;
  }

  /** The innermost block, which must be one of these. */
  private goOn(construct: Construct, word: string, of: readonly BlockWord[]): OpenBlock {
    const block = this.open.at(-1);
    if (!block || !of.includes(block.word))
      throw new ExpressionError(
        `{% ${word} %} stands outside of ${of.map((one) => `{% ${one} %}`).join(' and ')}.`,
        block ? `Close {% ${block.word} %} first, or remove it.` : 'Open the block first, or remove it.',
      );
    if (block.elseAt !== null && !word.startsWith('end'))
      throw new ExpressionError(`{% ${word} %} stands behind {% else %}.`, 'Write {% else %} as the last of a block.');
    block.tags.push(construct);
    return block;
  }

  /** The first `when` is an `if`, the others `elsif`: nothing may stand before the first one. */
  private readWhen(construct: Construct, reader: ExpressionReader): TagSegment {
    const block = this.goOn(construct, 'when', ['case']);
    const first = block.tags.length === 2;
    const [opening] = block.tags;
    if (first && opening) {
      if (this.source.text.slice(opening.end, construct.start).trim() !== '')
        throw new ExpressionError('Something stands between {% case %} and {% when %}.', 'Remove it.');
      construct.start = opening.end;
    }
    const tests = [`${block.compared} == ${reader.readOperand(false).code}`];
    while (reader.take(/,|or(?![\p{L}\p{N}_])/uy) !== null)
      tests.push(`${block.compared} == ${reader.readOperand(false).code}`);
    return { tag: first ? 'if' : 'elsif', test: tests.join(' or ') };
  }

  private readElse(construct: Construct): TagSegment {
    const block = this.goOn(construct, 'else', ['if', 'unless', 'case', 'for']);
    if (block.word === 'case' && block.tags.length === 2)
      throw new ExpressionError('{% case %} has no {% when %}.', 'Write one before {% else %}.');
    block.elseAt = construct.start;
    this.leaveNames(block);
    return { tag: 'else' };
  }

  private readFor(construct: Construct, reader: ExpressionReader): TagSegment {
    const block = this.begin('for', construct);
    const name = readItemName(reader);
    checkNewName(name);
    // Whatever is wrong with the items is told once, not again for each use of the name.
    let kind: LocalKind = 'any';
    try {
      const { segment, source } = readFor(name, reader);
      block.rounds = segment.limit;
      kind = segment.each === 'item' ? 'value' : 'product';
      if (source)
        addOnce(segment.each === 'product' ? this.context.needs.products : this.context.needs.anchors, source);
      return segment;
    } finally {
      for (const [own, ownKind] of [
        [name, kind],
        ['forloop', 'loop'],
      ] as const) {
        block.outside.set(own, this.locals.get(own));
        this.locals.set(own, ownKind);
      }
    }
  }

  private readAssign(reader: ExpressionReader): TagSegment {
    const name = reader.readName();
    if (name === null || reader.take(/=/y) === null)
      throw new ExpressionError(
        'The assignment cannot be read.',
        'Write {% assign name = Field name | default: "x" %}.',
      );
    checkNewName(name);
    try {
      const { head, calls } = reader.readFiltered();
      const value = applyFunctions(head, calls);
      this.locals.set(name, 'value');
      return { tag: 'assign', name, value };
    } catch (error) {
      this.locals.set(name, 'any');
      throw error;
    }
  }

  private close(construct: Construct, word: string): TagSegment {
    const opening = BLOCK_OF_END.get(word);
    const block = this.goOn(construct, word, opening ? [opening] : []);
    this.open.pop();
    if (block.elseAt === null) this.leaveNames(block);
    const { tags, rounds } = block;
    this.blocks.push({ tags, rounds, repeatedTo: block.elseAt ?? construct.start });
    if (block.word === 'case' && tags.length === 2)
      throw new ExpressionError('{% case %} has no {% when %}.', 'Write {% when "value" %} for each case.');
    return { tag: 'end' };
  }

  private leaveNames(block: OpenBlock): void {
    for (const [name, kind] of block.outside) {
      if (kind === undefined) this.locals.delete(name);
      else this.locals.set(name, kind);
    }
    block.outside.clear();
  }
}

const BLOCK_OF_END: ReadonlyMap<string, BlockWord> = new Map([
  ['endif', 'if'],
  ['endunless', 'unless'],
  ['endcase', 'case'],
  ['endfor', 'for'],
]);

function checkNewName(name: string): void {
  if (RESERVED.has(name)) throw new ExpressionError(`"${name}" is no name of your own.`, 'Choose another one.');
}
