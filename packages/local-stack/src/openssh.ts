import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.js';
import { freePort } from './free-port.js';
import { waitUntilReady } from './ready.js';
import { spawnServer } from './server-process.js';

const run = promisify(execFile);

export interface OpenSshOptions {
  /** Keys, configuration and log. Only the current user (and root) may write to it and to what is above it. */
  dir: string;
  port?: number;
}

export interface OpenSshServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** The current user. */
  readonly username: string;
  /** What logs in, OpenSSH format. */
  readonly privateKey: string;
  /** OpenSSH public key line. */
  readonly hostPublicKey: string;
  stop(): Promise<void>;
}

/** Real OpenSSH on 127.0.0.1, SFTP only, with keys of its own. Undefined when this machine has no sshd. Paths are the machine's. */
export async function startOpenSsh(options: OpenSshOptions): Promise<OpenSshServer | undefined> {
  const command = findProgram(['sshd']);
  if (!command) return undefined;
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // Where sshd as root locks up its unprivileged half.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  for (const key of ['host_key', 'user_key']) {
    await rm(join(dir, key), { force: true });
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)]);
  }
  await copyFile(join(dir, 'user_key.pub'), join(dir, 'authorized_keys'));
  await chmod(join(dir, 'authorized_keys'), 0o600);
  const port = options.port ?? (await freePort());
  await writeFile(join(dir, 'sshd_config'), configuration(dir, port));
  const logFile = join(dir, 'sshd.log');
  const child = await spawnServer({ command, args: ['-D', '-e', '-f', join(dir, 'sshd_config')], logFile });
  await waitUntilReady('sshd', child, logFile, () => greets(port));
  const stop = async () => {
    child.kill('SIGTERM');
    await child.exited;
  };
  return {
    port,
    pid: child.pid,
    username: userInfo().username,
    privateKey: await readFile(join(dir, 'user_key'), 'utf8'),
    hostPublicKey: (await readFile(join(dir, 'host_key.pub'), 'utf8')).trim(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function configuration(dir: string, port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(dir, 'host_key')}`,
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    `PidFile ${join(dir, 'sshd.pid')}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'UsePAM no',
    // Test directories lie under /tmp, which everybody may write to.
    'StrictModes no',
    'Subsystem sftp internal-sftp',
    'ForceCommand internal-sftp',
    '',
  ].join('\n');
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (greeting) => {
      socket.destroy();
      resolve(greeting.toString('latin1').startsWith('SSH-2.0-'));
    });
  });
}
