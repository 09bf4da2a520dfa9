import type { Dirent, Stats } from 'node:fs';
import { constants } from 'node:fs';
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rmdir,
  stat,
  truncate,
  unlink,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Attributes, FileEntry } from 'ssh2';
import { longName, toAttributes } from './sftp-attributes.js';
import type { Jail } from './sftp-jail.js';

/** SFTP v3 open flags (filexfer-02, section 6.3). */
const READ = 0x01;
const WRITE = 0x02;
const APPEND = 0x04;
const CREATE = 0x08;
const TRUNCATE = 0x10;
const EXCLUSIVE = 0x20;

/** An attribute block as it came: each one only when the client sent it. */
export type SentAttributes = Partial<Attributes>;

export class ExistsError extends Error {
  override name = 'ExistsError';
  readonly code = 'EEXIST';
}

export async function openFile(
  jail: Jail,
  path: string,
  flags: number,
  attributes: SentAttributes,
): Promise<FileHandle> {
  const target = await jail.target(path);
  const access = flags & WRITE ? (flags & READ ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  const options =
    (flags & APPEND ? constants.O_APPEND : 0) |
    (flags & CREATE ? constants.O_CREAT : 0) |
    (flags & TRUNCATE ? constants.O_TRUNC : 0) |
    (flags & EXCLUSIVE ? constants.O_EXCL : 0);
  // The jail resolved the links already; one that appears in between is not followed. NONBLOCK: a FIFO must not hang us.
  return open(
    target,
    access | options | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    (attributes.mode ?? 0o644) & 0o777,
  );
}

export async function attributesOf(jail: Jail, path: string, follow: boolean): Promise<Attributes> {
  return toAttributes(follow ? await stat(await jail.target(path)) : await lstat(await jail.entry(path)));
}

/** Everything in a directory, `.` and `..` included, as OpenSSH lists it. Links are shown as links. */
export async function listDirectory(jail: Jail, path: string): Promise<FileEntry[]> {
  const directory = await jail.target(path);
  const names = (await readdir(directory, { withFileTypes: true })).map((entry: Dirent) => entry.name);
  const entries = await Promise.all(['.', '..', ...names].map((name) => describe(directory, name)));
  return entries.filter((entry) => entry !== undefined);
}

async function describe(directory: string, name: string): Promise<FileEntry | undefined> {
  // `..` shows the directory itself: what is above the root is nobody's business.
  const stats: Stats | undefined = await lstat(name === '..' ? directory : join(directory, name)).catch(
    () => undefined,
  );
  if (!stats) return undefined;
  const attrs = toAttributes(stats);
  return { filename: name, longname: longName(name, attrs), attrs };
}

/**
 * Renames without ever overwriting. A file by link and unlink, like OpenSSH: of several clients that move the same file
 * to different names exactly one succeeds, the others get ENOENT.
 */
export async function renameFile(jail: Jail, from: string, to: string): Promise<void> {
  const source = await jail.entry(from);
  const target = await jail.entry(to);
  if (!(await lstat(source)).isFile()) {
    if (await lstat(target).catch(() => undefined)) throw new ExistsError('the target exists');
    return rename(source, target);
  }
  await link(source, target);
  try {
    await unlink(source);
  } catch (error) {
    await unlink(target).catch(() => {});
    throw error;
  }
}

export async function setAttributes(jail: Jail, path: string, attributes: SentAttributes): Promise<void> {
  const target = await jail.target(path);
  if (attributes.size !== undefined) await truncate(target, attributes.size);
  if (attributes.mode !== undefined) await chmod(target, attributes.mode & 0o777);
  if (attributes.mtime !== undefined) await utimes(target, attributes.atime ?? attributes.mtime, attributes.mtime);
}

export async function setFileAttributes(file: FileHandle, attributes: SentAttributes): Promise<void> {
  if (attributes.size !== undefined) await file.truncate(attributes.size);
  if (attributes.mode !== undefined) await file.chmod(attributes.mode & 0o777);
  if (attributes.mtime !== undefined) await file.utimes(attributes.atime ?? attributes.mtime, attributes.mtime);
}

export async function makeDirectory(jail: Jail, path: string, attributes: SentAttributes): Promise<void> {
  await mkdir(await jail.entry(path), { mode: (attributes.mode ?? 0o755) & 0o777 });
}

export async function removeDirectory(jail: Jail, path: string): Promise<void> {
  await rmdir(await jail.entry(path));
}

export async function removeFile(jail: Jail, path: string): Promise<void> {
  await unlink(await jail.entry(path));
}
