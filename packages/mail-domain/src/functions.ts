import { closeNames } from './close-names.js';

type Format = 'text' | 'digits' | 'language';

/** What stands behind a `|`. */
export interface FunctionRule {
  /** As the engine calls it. */
  name: string;
  /** Least and most arguments. */
  takes: readonly [number, number];
  /** What its arguments are when they are written out: a recipient's value cannot choose a format. */
  formats?: readonly Format[];
}

const rule = (name: string, least: number, most: number): FunctionRule => ({ name, takes: [least, most] });

const RULES: ReadonlyMap<string, FunctionRule> = new Map([
  ['append', rule('append', 1, 1)],
  ['capitalise', rule('capitalize', 0, 0)],
  ['capitalize', rule('capitalize', 0, 0)],
  ['date', { ...rule('date', 1, 2), formats: ['text', 'language'] }],
  ['default', rule('default', 1, 1)],
  ['downcase', rule('downcase', 0, 0)],
  ['first', rule('first', 0, 0)],
  ['join', rule('join', 0, 1)],
  ['last', rule('last', 0, 0)],
  ['lower', rule('downcase', 0, 0)],
  ['number', { ...rule('number', 0, 2), formats: ['digits', 'language'] }],
  ['prepend', rule('prepend', 1, 1)],
  ['remove', rule('remove', 1, 1)],
  ['replace', rule('replace', 2, 2)],
  ['size', rule('size', 0, 0)],
  ['slice', rule('slice', 1, 2)],
  ['split', rule('split', 1, 1)],
  ['strip', rule('strip', 0, 0)],
  ['truncate', rule('truncate', 0, 2)],
  ['truncatewords', rule('truncatewords', 0, 2)],
  ['upcase', rule('upcase', 0, 0)],
  ['upper', rule('upcase', 0, 0)],
]);

/** They say where something comes from, and not how it is written: each has its own place, told here. */
const SOURCE_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['products', 'Use it in a loop: {% for p in Field name | products %}.'],
  ['recommendations', 'Use it in a loop: {% for p in Field name | recommendations: 3 %}.'],
  ['content', 'Use it alone behind a field: {{ Field name | content }}.'],
  ['content_html', 'Use it alone behind a field: {{ Field name | content_html }}.'],
  ['picture', 'Use it alone behind a field: <img src="{{ Field name | picture }}">.'],
  ['attachment', 'Use it alone behind a field: {{ Field name | attachment }}.'],
]);

const ESCAPING = new Set(['escape', 'escape_once', 'url_encode', 'cgi_escape', 'uri_escape', 'xml_escape', 'raw']);

export function findFunction(name: string): FunctionRule | undefined {
  return RULES.get(name);
}

/** Whether an argument is written out as its function reads it. @param code as Liquid @param text what it says, when it is a text */
export function isFormat(format: Format, code: string, text: string | undefined): boolean {
  if (format === 'digits') return /^1?\d$/.test(code);
  return text !== undefined && (format === 'text' || isLanguage(text));
}

function isLanguage(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length === 1;
  } catch {
    return false;
  }
}

/** Why a name behind a `|` is none of the functions, or not here. */
export function functionProblem(name: string): { message: string; remedy: string } {
  const place = SOURCE_FUNCTIONS.get(name);
  if (place !== undefined) return { message: `"${name}" cannot stand here.`, remedy: place };
  const message = `There is no function "${name}".`;
  if (ESCAPING.has(name)) return { message, remedy: 'Leave it out: every value is escaped for where it stands.' };
  const close = closeNames(name, [...RULES.keys()]);
  if (close.length > 0) return { message, remedy: `Did you mean ${close.join(' or ')}?` };
  return { message, remedy: `Use one of: ${[...RULES.keys()].join(', ')}.` };
}
