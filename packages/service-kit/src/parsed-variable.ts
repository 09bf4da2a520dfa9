import { readFileSync } from 'node:fs';
import { z } from 'zod';

// For variables that are a small language of their own.

/** For `transform`: runs a parser that throws one problem per line; each is reported by itself. */
export const parsedBy =
  <T>(parse: (text: string) => T) =>
  (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      for (const message of (error as Error).message.split('\n')) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
  };

/** The content of a file that a variable names. @throws RangeError */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RangeError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** JSON.parse quotes what it stumbles over, which may be a secret. @throws RangeError that shows no value */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /position \d+/.exec((error as Error).message)?.[0];
    throw new RangeError(`it is not JSON${at ? ` (${at})` : ''}`);
  }
}

/** What a schema finds wrong with a parsed JSON, one line each. */
export const describeIssues = ({ issues }: z.ZodError): string =>
  issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`).join('\n');
