import { describeError } from '@postloop/contracts';
import { CustomerFileError } from '../customer-files/customer-file-error.js';
import { printable, toJson } from './format.js';
import { Problem } from './problem.js';

/** Results go to stdout, as text or as one JSON value; everything else goes to stderr. */
export interface Output {
  readonly json: boolean;
  result(value: unknown, text: string): void;
  /** A remark for a person. */
  note(message: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result: (value, text) => void process.stdout.write(json ? `${toJson(value)}\n` : text),
    note: (message) => void process.stderr.write(`${message}\n`),
  };
}

/** Tells a failure on stderr with its remedy; with `--json` also on stdout, so that a caller gets one value in any case. */
export function tellFailure(error: unknown, { json }: { json: boolean }): void {
  const told = failureOf(error);
  if (json) process.stdout.write(`${toJson({ error: told })}\n`);
  const lines = [told.message, ...(told.remedy ? [told.remedy] : [])];
  process.stderr.write(`postloop: ${lines.map((line) => line.split('\n').map(printable).join('\n')).join('\n')}\n`);
}

function failureOf(error: unknown): { message: string; remedy?: string; problems?: unknown } {
  if (error instanceof Problem) return { message: error.message, remedy: error.remedy };
  if (error instanceof CustomerFileError) return { message: error.message, problems: error.problems };
  return { message: describeError(error) };
}
