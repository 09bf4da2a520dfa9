import { readFileSync } from 'node:fs';

export type Environment = Record<string, string | undefined>;

/**
 * The process environment, with secrets from files: `X_FILE=/path` sets `X` to the file's content,
 * as container secrets are mounted. The only place where an app reads its environment.
 */
export function readEnvironment(env: Environment = process.env): Environment {
  const read: Environment = { ...env };
  for (const [name, path] of Object.entries(env)) {
    const target = /^(.+)_FILE$/.exec(name)?.[1];
    if (target && path && env[target] === undefined) read[target] = readFileSync(path, 'utf8').trimEnd();
  }
  return read;
}
