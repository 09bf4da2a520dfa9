import { closeNames } from './close-names.js';
import type { FieldNames } from './field-names.js';
import { findFunction, functionProblem, isFormat } from './functions.js';

/** Why an expression cannot be read. */
export class ExpressionError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** A name that the template itself gives: `product` and `loop` have properties. */
export type LocalKind = 'product' | 'loop' | 'value' | 'any';

export interface KnownNames {
  fields: FieldNames;
  booleanFields: ReadonlySet<number>;
  locals: ReadonlyMap<string, LocalKind>;
  /** Null: any. */
  productColumns: readonly string[] | null;
}

export interface Operand {
  /** Liquid. Fields are `fields[3]`, or `flags[3]` for the yes or no of a boolean field; names of the template start with `my_`. */
  code: string;
  field?: number;
  /** A constant of the template. */
  text?: string;
}

export interface FunctionCall {
  name: string;
  args: Operand[];
}

const LOOP_PROPERTIES = ['index', 'index0', 'rindex', 'rindex0', 'first', 'last', 'length'];
const KEYWORDS = new Set(['true', 'false', 'nil', 'null', 'empty', 'blank']);
const COMPARISON = /(?:==|!=|<>|<=|>=|<|>|contains(?![\p{L}\p{N}_]))/uy;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /-?\d+(?:\.\d+)?(?![\p{L}\p{N}_.])/uy;
const STRING = /"[^"]*"|'[^']*'/y;
const UNKNOWN =
  /[^|:,"'=<>![\]()]+?(?=\s*(?:[|:,"'=<>![\]()]|$|\s(?:and|or|contains|reversed|limit)(?![\p{L}\p{N}_])))/uy;

/**
 * Reads what authors write between the braces and gives it back as Liquid in which every name is resolved, so that field
 * names may have spaces and no value can be taken for a name.
 */
export class ExpressionReader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly names: KnownNames,
  ) {}

  /** `Field name | default: "x" | upper` @throws ExpressionError */
  readFiltered(): { head: Operand; calls: FunctionCall[] } {
    const head = this.readOperand(false);
    const calls: FunctionCall[] = [];
    while (this.take(/\|/y) !== null) calls.push(this.readCall());
    return { head, calls };
  }

  /** `City == "Kraków" and Age > 18`. Liquid reads a mixture of and and or from the right, which nobody expects: it is refused. */
  readCondition(): string {
    let code = this.readComparison();
    let joined: string | null = null;
    for (let word = this.take(/(?:and|or)(?![\p{L}\p{N}_])/uy); word !== null; ) {
      if (joined !== null && joined !== word)
        throw new ExpressionError('A condition mixes "and" and "or".', 'Write one {% if %} inside the other.');
      joined = word;
      code += ` ${word} ${this.readComparison()}`;
      word = this.take(/(?:and|or)(?![\p{L}\p{N}_])/uy);
    }
    return code;
  }

  /** @param asFlag whether a boolean field stands for its yes or no */
  readOperand(asFlag: boolean): Operand {
    const literal = this.take(STRING);
    if (literal !== null) return { code: quote(literal.slice(1, -1)), text: literal.slice(1, -1) };
    this.skipBlank();
    const field = this.names.fields.findAt(this.text, this.at) ?? this.readBracketField();
    const name = this.peek(NAME);
    // The longest name wins; of two that are as long, the template's own.
    if (name !== null && name.length >= (field?.end ?? 0) - this.at) {
      const local = this.names.locals.get(name);
      if (local !== undefined || KEYWORDS.has(name)) this.at += name.length;
      if (local !== undefined) return { code: `my_${name}${this.readProperty(name, local)}` };
      if (KEYWORDS.has(name)) return { code: name };
    }
    const number = this.peek(NUMBER);
    if (field && (number === null || number.length < field.end - this.at)) {
      this.at = field.end;
      const isFlag = asFlag && this.names.booleanFields.has(field.field);
      return { code: `${isFlag ? 'flags' : 'fields'}[${field.field}]`, field: field.field };
    }
    if (number !== null) {
      this.at += number.length;
      return { code: number };
    }
    throw this.unknownName();
  }

  readName(): string | null {
    return this.take(/[A-Za-z_][A-Za-z0-9_]*/y);
  }

  /** @returns what was there, or null @param pattern sticky */
  take(pattern: RegExp): string | null {
    this.skipBlank();
    const found = this.peek(pattern);
    this.at += found?.length ?? 0;
    return found;
  }

  /** @throws ExpressionError unless everything was read */
  end(): void {
    this.skipBlank();
    const rest = this.text.slice(this.at);
    if (rest !== '')
      throw new ExpressionError(
        `"${rest}" is not understood here.`,
        'See docs/TEMPLATES.md; texts need quotation marks, and a name with signs in it fields["name"].',
      );
  }

  private readComparison(): string {
    const left = this.readOperand(true).code;
    const operator = this.take(COMPARISON);
    if (operator === null) return left;
    return `${left} ${operator === '<>' ? '!=' : operator} ${this.readOperand(true).code}`;
  }

  private readCall(): FunctionCall {
    const name = this.take(NAME) ?? '';
    const args: Operand[] = [];
    if (this.take(/:/y) !== null) {
      args.push(this.readOperand(false));
      while (this.take(/,/y) !== null) args.push(this.readOperand(false));
    }
    return { name, args };
  }

  /** `fields["First name"]`, for names that cannot stand alone. */
  private readBracketField(): { field: number; end: number } | null {
    const start = this.peek(/fields\s*\[\s*/y);
    if (start === null) return null;
    STRING.lastIndex = this.at + start.length;
    const name = STRING.exec(this.text)?.[0];
    const close = /\s*\]/y;
    close.lastIndex = STRING.lastIndex;
    const closed = name === undefined ? null : close.exec(this.text)?.[0];
    if (name === undefined || closed == null)
      throw new ExpressionError('fields[…] is not closed, or names no field.', 'Write fields["Field name"].');
    const field = this.names.fields.find(name.slice(1, -1));
    if (field === null) throw this.noField(name.slice(1, -1));
    return { field, end: close.lastIndex };
  }

  private readProperty(name: string, kind: LocalKind): string {
    const property = this.readPropertyName();
    if (kind === 'any') return '';
    if (property === null) {
      if (kind === 'value') return '';
      throw new ExpressionError(`"${name}" alone is no value.`, `Name a part of it: {{ ${name}.name }}.`);
    }
    if (kind === 'value')
      throw new ExpressionError(
        `"${name}" has no part "${property}".`,
        `Write {{ ${name} }}, with functions behind it.`,
      );
    const known = kind === 'loop' ? LOOP_PROPERTIES : this.names.productColumns;
    const column = known ? (known.find((one) => one === property) ?? findInAnyCase(known, property)) : property;
    if (column === undefined) throw unknownPart(name, property, known ?? [], kind);
    return `[${quote(column)}]`;
  }

  /** `.name` or `["any name"]` */
  private readPropertyName(): string | null {
    if (this.peek(/\./y) !== null) {
      this.at += 1;
      const name = this.peek(/[\p{L}_][\p{L}\p{N}_-]*/uy);
      if (name === null) throw new ExpressionError('A name is missing behind the dot.', 'Write it: p.name.');
      this.at += name.length;
      return name;
    }
    const bracket = this.peek(/\[\s*("[^"]*"|'[^']*')\s*\]/y);
    if (bracket === null) return null;
    this.at += bracket.length;
    return bracket.slice(1, -1).trim().slice(1, -1);
  }

  private unknownName(): ExpressionError {
    const name = this.peek(UNKNOWN)?.trim() ?? '';
    if (name !== '') return this.noField(name);
    const rest = this.text.slice(this.at, this.at + 20);
    return rest === ''
      ? new ExpressionError('Something is missing at the end.', 'Name a field, or write a text in quotation marks.')
      : new ExpressionError(`"${rest}" is not understood here.`, 'Name a field, or write a text in quotation marks.');
  }

  private noField(name: string): ExpressionError {
    return new ExpressionError(`The list has no field "${name}".`, this.names.fields.remedyFor(name));
  }

  private skipBlank(): void {
    this.at += this.peek(/\s*/y)?.length ?? 0;
  }

  private peek(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? null;
  }
}

/** Functions in their order, as Liquid. @throws ExpressionError for one that is not there, or asked in a wrong way */
export function applyFunctions(head: Operand, calls: readonly FunctionCall[]): string {
  return [head.code, ...calls.map(callCode)].join(' | ');
}

function callCode({ name, args }: FunctionCall): string {
  const rule = findFunction(name);
  if (!rule) {
    const { message, remedy } = functionProblem(name);
    throw new ExpressionError(message, remedy);
  }
  const [least, most] = rule.takes;
  if (args.length < least || args.length > most)
    throw new ExpressionError(
      `"${name}" takes ${least === most ? least : `${least} to ${most}`} values behind its colon, not ${args.length}.`,
      'See docs/TEMPLATES.md for examples.',
    );
  if (rule.formats?.some((format, i) => args[i] && !isFormat(format, args[i].code, args[i].text)))
    throw new ExpressionError(
      `The format of "${name}" cannot be read.`,
      'Write it out, then the language: | date: "%d.%m.%Y", "de" or | number: 2, "de".',
    );
  return args.length === 0 ? rule.name : `${rule.name}: ${args.map(({ code }) => code).join(', ')}`;
}

/** A Liquid string: a backslash is only a backslash to authors. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function findInAnyCase(names: readonly string[], name: string): string | undefined {
  return names.find((one) => one.toLowerCase() === name.toLowerCase());
}

function unknownPart(name: string, part: string, known: readonly string[], kind: LocalKind): ExpressionError {
  const message = kind === 'product' ? `The product data has no column "${part}".` : `"${name}" has no part "${part}".`;
  const close = closeNames(part, known);
  const meant = close.length > 0 ? close : known.slice(0, 20);
  return new ExpressionError(
    message,
    `${close.length > 0 ? 'Did you mean' : 'Use one of:'} ${meant.join(', ')}${close.length > 0 ? '?' : '.'}`,
  );
}
