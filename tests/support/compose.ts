import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What the tests ask of a service in docker-compose.yml. */
export interface ComposeService {
  image?: string;
  build?: string | { context: string; dockerfile: string };
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  restart?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
}

/** The file as compose reads it: merge keys resolved, `${NAME:-default}` filled in from `env`. */
export function readCompose(path: string, env: Record<string, string> = {}): ComposeFile {
  return interpolate(parse(readFileSync(path, 'utf8'), { merge: true }), env) as ComposeFile;
}

function interpolate(value: unknown, env: Record<string, string>): unknown {
  if (typeof value === 'string') return fill(value, env);
  if (Array.isArray(value)) return value.map((item) => interpolate(item, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, interpolate(item, env)]));
}

/** Of compose's interpolation only what the file uses; anything else is an error. */
function fill(text: string, env: Record<string, string>): string {
  return text.replaceAll(/\$(?:\{(\w+):-([^{}$]*)\}|)/g, (found, name?: string, fallback = '') => {
    if (name === undefined) throw new Error(`"${found}" in "${text}" is not an interpolation that the tests know`);
    return env[name] || fallback;
  });
}

/**
 * The environment that an app reads in its container: secrets from the files that compose would mount there.
 * @throws when a variable names a secret that the service is not given, or one that no file stands behind
 */
export function appEnvironment(compose: ComposeFile, service: ComposeService, folder: string): Record<string, string> {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(service.environment ?? {})) {
    const secret = /^\/run\/secrets\/(\w+)$/.exec(value)?.[1];
    if (!name.endsWith('_FILE') || secret === undefined) read[name] = value;
    else read[name.slice(0, -'_FILE'.length)] = readSecret(compose, service, folder, secret);
  }
  return read;
}

function readSecret({ secrets }: ComposeFile, service: ComposeService, folder: string, name: string): string {
  if (!service.secrets?.includes(name)) throw new Error(`the secret ${name} is not given to the service`);
  const file = secrets[name]?.file;
  if (file === undefined) throw new Error(`the secret ${name} has no file`);
  return readFileSync(`${folder}/${file}`, 'utf8').trimEnd();
}

/** Cuts a command line after `node`: what is for Node itself, and the program with what is for it. */
export function cutAtProgram(words: readonly string[]): { nodeArgs: string[]; program: string[] } {
  const at = words.findIndex((word) => !word.startsWith('-'));
  return at === -1 ? { nodeArgs: [...words], program: [] } : { nodeArgs: words.slice(0, at), program: words.slice(at) };
}
