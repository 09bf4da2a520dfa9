import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the settings of a running stack where `loadSettings` finds them: whole or not at all, readable by the owner only. */
export function writeEnvFile(folder: string, env: Record<string, string>): string {
  const file = join(folder, 'env');
  const half = `${file}.part`;
  writeFileSync(half, formatEnv(env), { mode: 0o600 });
  renameSync(half, file);
  return file;
}

/** Lines that a shell and Node's `parseEnv` read alike. */
export function formatEnv(env: Record<string, string>): string {
  const lines = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}\n`);
  return `# Written by \`postloop up\` at each start. Commands run where this folder lies use it.\n${lines.join('')}`;
}

function quote(value: string): string {
  if (/^[\w:/@.,+=%?&-]*$/.test(value)) return value;
  if (value.includes("'")) throw new Error('a value with an apostrophe cannot stand in an env file');
  return `'${value}'`;
}
