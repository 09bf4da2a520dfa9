import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bareEnvironment } from './env.js';
import { closedDirectory, type SystemUser } from './postgres-user.js';

const run = promisify(execFile);

/** A data directory ready to start. */
export interface Cluster {
  data: string;
  password: string;
}

/** Makes the cluster in `dir/data` on the first call, finds it on later ones. A crash in between leaves nothing half made. */
export async function prepareCluster(dir: string, native: string, user: SystemUser | undefined): Promise<Cluster> {
  await mkdir(dir, { recursive: true });
  await refuseClosedDirectory(dir, user);
  const data = join(dir, 'data');
  if (await exists(join(data, 'PG_VERSION'))) return { data, password: await readPassword(dir) };
  const password = randomBytes(24).toString('base64url');
  await writeFile(join(dir, 'password'), password, { mode: 0o600 });
  await initialise(dir, native, user, password);
  return { data, password };
}

async function initialise(dir: string, native: string, user: SystemUser | undefined, password: string): Promise<void> {
  const half = join(dir, 'data.part');
  const passwordFile = join(dir, 'password.part');
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) for (const path of [half, passwordFile]) await chown(path, user.uid, user.gid);
  const args = ['-D', half, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  // Sorting by code point, case rules of Unicode, the same on every machine.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  await run(join(native, 'bin', 'initdb'), [...args, ...locale], { cwd: '/', env: bareEnvironment(), ...user });
  await rm(passwordFile);
  await rename(half, join(dir, 'data'));
}

async function refuseClosedDirectory(dir: string, user: SystemUser | undefined): Promise<void> {
  const closed = user && (await closedDirectory(dir, user));
  if (!closed) return;
  throw new Error(
    `PostgreSQL cannot keep its data in ${dir}: as root it runs as the user postgres, who may not enter ${closed}. ` +
      "Choose a directory under the system's temporary directory, or open that one (chmod o+x)",
  );
}

async function readPassword(dir: string): Promise<string> {
  try {
    return (await readFile(join(dir, 'password'), 'utf8')).trim();
  } catch (cause) {
    throw new Error(`${dir} holds a PostgreSQL whose password file is gone: remove the directory to begin anew`, {
      cause,
    });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
