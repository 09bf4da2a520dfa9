import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.js';

const run = promisify(execFile);

export interface SystemUser {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root. As root this is the user `postgres`, made when it is missing; otherwise undefined
 * (run as we are).
 */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await lookUp('postgres')) ?? (await create('postgres'));
}

async function lookUp(name: string): Promise<SystemUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function create(name: string): Promise<SystemUser> {
  if (findProgram(['useradd'])) {
    // The group may be there without the user.
    await run('groupadd', ['--system', '--force', name]);
    await run('useradd', ['--system', '--gid', name, '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
  } else {
    // Alpine's BusyBox.
    await run('addgroup', ['-S', name]).catch(() => {});
    await run('adduser', ['-S', '-D', '-H', '-G', name, name]);
  }
  const user = await lookUp(name);
  if (!user) throw new Error(`the system user ${name}, which PostgreSQL runs as, could not be created`);
  return user;
}

/**
 * The first directory on the way to `path` (itself included, links resolved) that `user` may not pass, or undefined when
 * the way is open. Looks at mode bits only, like a process without supplementary groups.
 */
export async function closedDirectory(path: string, user: SystemUser): Promise<string | undefined> {
  const way: string[] = [];
  for (let at = await realpath(path); ; at = dirname(at)) {
    way.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const directory of way) {
    const { mode, uid, gid } = await stat(directory);
    const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & execute) === 0) return directory;
  }
  return undefined;
}
