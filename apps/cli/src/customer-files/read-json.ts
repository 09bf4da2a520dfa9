import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { CustomerFileError, type FileProblem, throwProblems } from './customer-file-error.js';

/** Reads a JSON file and checks it. @throws CustomerFileError with every fault, its path in the JSON and its remedy */
export function readJson<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  const value = parseJson(file, readText(file));
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throwProblems(parsed.error.issues.flatMap((issue) => toProblems(file, value, issue)));
  throw parsed.error;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const message = missing
      ? 'there is no such file.'
      : `cannot be read (${error instanceof Error ? error.message : error}).`;
    throw new CustomerFileError([{ file, path: '', message, remedy: 'Name the file, or the folder that holds it.' }]);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const told = error instanceof Error ? error.message : '';
    const position = /position (\d+)/.exec(told)?.[1];
    throw new CustomerFileError([
      {
        file,
        path: position === undefined ? '' : placeOf(text, Number(position)),
        message: `this is not JSON: ${told}.`,
        remedy: 'Look there for a missing comma, quotation mark or bracket.',
      },
    ]);
  }
}

/** `line 3, column 7` of an offset. */
function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function toProblems(file: string, value: unknown, issue: z.core.$ZodIssue): FileProblem[] {
  const path = jsonPath(issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      file,
      path: jsonPath([...issue.path, key]),
      message: 'there is no such setting.',
      remedy: 'Remove it, or correct its name.',
    }));
  if (valueAt(value, issue.path) === undefined)
    return [{ file, path, message: 'is missing.', remedy: `Add it${wanted(issue)}.` }];
  const remedy = issue.code === 'custom' ? remedyOf(issue) : `Write${wanted(issue) || ' another value'}.`;
  return [{ file, path, message: `${issue.message.replace(/\.$/, '')}.`, remedy }];
}

/** Rules of our own bring their remedy with them. */
function remedyOf(issue: z.core.$ZodIssue): string {
  const params = 'params' in issue ? issue.params : undefined;
  return params && typeof params.remedy === 'string' ? params.remedy : 'Correct it.';
}

function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return ` one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_type':
      return ` a value of type ${issue.expected}`;
    case 'too_small':
      return ` at least ${issue.minimum}${issue.origin === 'number' || issue.origin === 'int' ? '' : ` ${issue.origin === 'array' ? 'entries' : 'characters'}`}`;
    case 'too_big':
      return ` at most ${issue.maximum}`;
    default:
      return '';
  }
}

function jsonPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}
