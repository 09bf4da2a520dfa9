import { execFile } from 'node:child_process';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '@postloop/local-stack';
import { benchFolder } from './results.js';

const run = promisify(execFile);

export interface Program {
  path: string;
  /** For the libraries that came with it. */
  env: Record<string, string>;
}

/**
 * A program that a figure is measured against: as installed, else taken out of its Debian package into `node_modules/.postloop`,
 * so that nothing is installed or started as a service.
 * @param libraries folder of the package that holds the program's own libraries, e.g. `usr/lib/postfix`
 * @throws Error that names program and package when there is neither
 */
export async function debianProgram(name: string, debianPackage: string, libraries?: string): Promise<Program> {
  const installed = findProgram([name]);
  if (installed) return { path: installed, env: {} };
  const folder = join(benchFolder, debianPackage);
  const path = () =>
    findProgram(
      [name],
      ['usr/sbin', 'usr/bin'].map((bin) => join(folder, bin)),
    );
  if (!path()) await extract(debianPackage, folder).catch((cause) => missing(name, debianPackage, cause));
  const found = path();
  if (!found) throw new Error(`the Debian package ${debianPackage} has no ${name}`);
  return { path: found, env: libraries ? { LD_LIBRARY_PATH: join(folder, libraries) } : {} };
}

async function extract(debianPackage: string, folder: string): Promise<void> {
  const cwd = `${folder}.${process.pid}`;
  await mkdir(cwd, { recursive: true });
  const download = () => run('apt-get', ['download', debianPackage], { cwd });
  // A machine that never asked for the list of packages knows none.
  await download().catch(() => run('apt-get', ['update']).then(download));
  const file = (await readdir(cwd)).find((one) => one.endsWith('.deb'));
  if (!file) throw new Error('nothing was downloaded');
  await run('dpkg', ['-x', file, '.'], { cwd });
  await rename(cwd, folder);
}

function missing(name: string, debianPackage: string, cause: unknown): never {
  throw new Error(
    `${name} is missing, and its Debian package ${debianPackage} cannot be had: install it and run this again`,
    {
      cause,
    },
  );
}
