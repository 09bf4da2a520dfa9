import { readFileSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadVariables {
  /** Those that are there and not empty. */
  given: Record<string, string>;
  /** What is wrong with a variable, by its name. */
  unreadable: Record<string, string>;
}

/**
 * The values of these variables. `X_FILE=/path` stands for an `X` that is absent or empty: its value is what the file holds,
 * less white space at its end, as container secrets are mounted. Other programs' `…_FILE` are none of ours.
 */
export function readVariables(names: readonly string[], env: Environment): ReadVariables {
  const read: ReadVariables = { given: {}, unreadable: {} };
  for (const name of names) {
    const path = env[`${name}_FILE`];
    const value = env[name] || !path ? env[name] : tryToRead(name, path, read.unreadable);
    if (value) read.given[name] = value;
  }
  return read;
}

function tryToRead(name: string, path: string, unreadable: Record<string, string>): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown';
    unreadable[name] = `${path} cannot be read (${code}): correct ${name}_FILE, or set ${name} itself`;
    return undefined;
  }
}
