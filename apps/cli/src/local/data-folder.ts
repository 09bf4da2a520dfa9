import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { DEFAULT_FOLDER } from '../config.js';

/** Where a local stack is kept. */
export interface DataFolder {
  /** What the person named: the `env` file for other commands lies here. */
  folder: string;
  /** Where the data lies: the same, unless PostgreSQL's user cannot get there. */
  data: string;
  /** The directory that is closed to PostgreSQL's user, when `data` is elsewhere. */
  closed: string | undefined;
}

const PRIVATE = ['redis', 'sftp', 'inbox', 'logs', 'spool'];

/**
 * Prepares the folder of a local stack. As root PostgreSQL runs as the user postgres, who must be able to enter it: in a
 * closed place (a home directory of mode 0700) the data goes to /var/lib/postloop, to the same name at each start.
 */
export function prepareDataFolder(dir: string | undefined, isRoot = process.getuid?.() === 0): DataFolder {
  const folder = resolve(dir ?? DEFAULT_FOLDER);
  mkdirSync(folder, { recursive: true });
  const closed = isRoot ? closedDirectory(dirname(folder)) : undefined;
  const data = closed === undefined ? folder : elsewhere(folder);
  // Recipients' data and passwords: others pass through to PostgreSQL's own folder, and see nothing.
  if (isRoot) chmodSync(data, 0o711);
  else chmodSync(data, 0o700);
  for (const name of PRIVATE) mkdirSync(join(data, name), { recursive: true, mode: 0o700 });
  return { folder, data, closed };
}

function elsewhere(folder: string): string {
  const name = `${basename(dirname(folder))}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
  for (const parent of ['/var/lib/postloop', join(tmpdir(), 'postloop')]) {
    const data = join(parent, name);
    try {
      mkdirSync(data, { recursive: true });
      chmodSync(parent, 0o755);
      if (closedDirectory(parent) === undefined) return data;
    } catch {
      // A read-only system: the next place.
    }
  }
  throw new Error(`no place for data that PostgreSQL's user can enter: start with --dir below a public directory`);
}

/** The first directory on the way to `path` that others may not pass through. */
export function closedDirectory(path: string): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : closedDirectory(parent);
  if (above !== undefined) return above;
  return existsSync(path) && (statSync(path).mode & 0o001) === 0 ? path : undefined;
}
