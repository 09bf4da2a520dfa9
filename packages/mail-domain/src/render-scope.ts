import type { Context } from 'liquidjs';
import { isTrue, type Language, readFlag } from './language.js';
import type { MailParts } from './mail-parts.js';
import type { AssignSegment, ForSegment, IfSegment } from './mail-program.js';
import { findProducts } from './products.js';
import type { FieldValues, RenderData } from './render-data.js';
import { RenderError } from './render-error.js';
import type { TemplateSettings } from './template-settings.js';

/** Rounds of all loops of one part together: loops within loops come to an end. */
const MAX_ROUNDS = 2_000;

/** What all mails of a mailing share. */
export interface MailingScope {
  language: Language;
  settings: TemplateSettings;
  booleanFields: readonly number[];
}

/** What the expressions of one part of one mail see. */
export class RenderScope {
  /** Which round each loop around is in, from 0, the outermost first. */
  readonly rounds: number[] = [];
  private context: Context | undefined;
  private roundsLeft = MAX_ROUNDS;

  constructor(
    readonly mailing: MailingScope,
    readonly fields: FieldValues,
    readonly data: RenderData,
    readonly parts: MailParts,
  ) {}

  /** What an expression gives, as text. */
  text(code: string): string {
    return toText(this.evaluate(code));
  }

  holds({ test, negated }: IfSegment): boolean {
    return isTrue(this.evaluate(test)) !== (negated === true);
  }

  assign({ name, value }: AssignSegment): void {
    this.values.bottom()[`my_${name}`] = this.evaluate(value);
  }

  itemsOf(loop: ForSegment): unknown[] {
    const value = this.evaluate(loop.from);
    const items =
      loop.each === 'item'
        ? listOf(value).slice(0, loop.limit)
        : findProducts(loop, value, this.data, this.mailing.settings.missingProduct);
    return loop.reversed ? items.reverse() : items;
  }

  repeat(name: string, items: readonly unknown[], run: () => void): void {
    const { length } = items;
    const own: Record<string, unknown> = {};
    this.values.push(own);
    const depth = this.rounds.push(0) - 1;
    for (const [round, item] of items.entries()) {
      this.roundsLeft -= 1;
      if (this.roundsLeft < 0) throw new RenderError(`The loops of the mail have more than ${MAX_ROUNDS} rounds.`);
      own[`my_${name}`] = item;
      own.my_forloop = forloop(round, length);
      this.rounds[depth] = round;
      run();
    }
    this.rounds.pop();
    this.values.pop();
  }

  private evaluate(code: string): unknown {
    try {
      return this.mailing.language.evaluate(code, this.values);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new RenderError(`A function of the template failed: ${why}.`, { cause: error });
    }
  }

  /** Made when it is first asked for: most mails have no expression. */
  private get values(): Context {
    if (this.context) return this.context;
    const { booleanFields, language } = this.mailing;
    const flags = Object.fromEntries(booleanFields.map((field) => [field, readFlag(this.fields[field] ?? null)]));
    this.context = language.createContext({ fields: this.fields, flags });
    return this.context;
  }
}

function forloop(round: number, length: number) {
  const left = length - round;
  return {
    index: round + 1,
    index0: round,
    rindex: left,
    rindex0: left - 1,
    first: round === 0,
    last: left === 1,
    length,
  };
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return [...value];
  return isTrue(value) ? [value] : [];
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(toText).join('');
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
