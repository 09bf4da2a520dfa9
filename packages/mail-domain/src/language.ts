import { Context, Drop, defaultOperators, Liquid, type Operators, toValueSync, Value } from 'liquidjs';
import { formatDate } from './format-date.js';
import { formatNumber } from './format-number.js';
import type { TemplateSettings } from './template-settings.js';

/** Characters that the functions of one part may make: what doubles a text in a loop comes to an end. */
const MEMORY = 2_000_000;

/** Evaluates the expressions of one mailing. Each is parsed once. */
export class Language {
  private readonly liquid: Liquid;
  private readonly parsed = new Map<string, Value>();

  constructor({ timeZone, locale }: Pick<TemplateSettings, 'timeZone' | 'locale'>) {
    this.liquid = new Liquid({ ownPropertyOnly: true, strictFilters: true, memoryLimit: MEMORY, operators: OPERATORS });
    this.liquid.registerFilter('date', (value: unknown, format: string, own?: string) =>
      typeof value === 'string' ? (formatDate(value, format, timeZone, own ?? locale) ?? value) : value,
    );
    this.liquid.registerFilter(
      'number',
      (value: unknown, digits?: number, own?: string) => formatNumber(String(value), digits, own ?? locale) ?? value,
    );
  }

  createContext(values: object): Context {
    return new Context(values, this.liquid.options, { sync: true }, { liquid: this.liquid });
  }

  evaluate(code: string, context: Context): unknown {
    const known = this.parsed.get(code);
    const expression = known ?? new Value(code, this.liquid);
    if (!known) this.parsed.set(code, expression);
    return toValueSync(expression.value(context));
  }
}

/** No, nothing and an empty text are not true. */
export function isTrue(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length > 0
    : value !== undefined && value !== null && value !== false && value !== '';
}

/** As people who write `true`, `yes` or `1` into a file mean it (spec 2: boolean). */
export function readFlag(text: string | null): boolean | null {
  return text === null ? null : /^\s*(true|t|yes|y|on|1)\s*$/i.test(text);
}

/** Values of fields are texts: beside a number they count as numbers, beside a yes or no as such. */
const OPERATORS: Operators = {
  ...defaultOperators,
  '==': (left: unknown, right: unknown) => isSame(left, right),
  '!=': (left: unknown, right: unknown) => !isSame(left, right),
  '<': (left: unknown, right: unknown) => compare(left, right, (order) => order < 0),
  '<=': (left: unknown, right: unknown) => compare(left, right, (order) => order <= 0),
  '>': (left: unknown, right: unknown) => compare(left, right, (order) => order > 0),
  '>=': (left: unknown, right: unknown) => compare(left, right, (order) => order >= 0),
  and: (left: unknown, right: unknown) => isTrue(left) && isTrue(right),
  or: (left: unknown, right: unknown) => isTrue(left) || isTrue(right),
};

function isSame(left: unknown, right: unknown): boolean {
  // `blank` and `empty` are objects of the engine.
  if (right instanceof Drop) return isBlank(left);
  if (left instanceof Drop) return isBlank(right);
  if (typeof left === 'boolean' && typeof right === 'string') return left === readFlag(right);
  if (typeof right === 'boolean' && typeof left === 'string') return right === readFlag(left);
  if (typeof left !== typeof right) {
    const [a, b] = [numberOf(left), numberOf(right)];
    return a !== null && b !== null ? a === b : (left ?? null) === (right ?? null);
  }
  return (left ?? null) === (right ?? null);
}

const isBlank = (value: unknown): boolean => !isTrue(value) || (typeof value === 'string' && value.trim() === '');

function compare(left: unknown, right: unknown, holds: (order: number) => boolean): boolean {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== null && b !== null) return holds(a - b);
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  return holds(left < right ? -1 : left > right ? 1 : 0);
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : null;
}
