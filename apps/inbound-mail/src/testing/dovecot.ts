import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@postloop/local-stack';
import { vi } from 'vitest';

const PROGRAM = '/usr/sbin/dovecot';
/** Dovecot reads no mail as root. */
const NOBODY = 65_534;

/** Why there is no Dovecot to test against; undefined when there is one. */
export const noDovecot = !existsSync(PROGRAM)
  ? 'no Dovecot on this machine (Debian: dovecot-imapd)'
  : process.getuid?.() === 0
    ? undefined
    : 'Dovecot is started by root only';

export interface Dovecot extends AsyncDisposable {
  readonly port: number;
  readonly password: string;
}

/** A real Dovecot on 127.0.0.1, IMAP without TLS; every user has an empty mailbox and the same password. */
export async function startDovecot(dir: string): Promise<Dovecot> {
  const port = await freePort();
  const password = 'p@ss/wörd';
  const mail = join(dir, 'mail');
  mkdirSync(mail);
  chownSync(mail, NOBODY, NOBODY);
  const config = join(dir, 'dovecot.conf');
  writeFileSync(config, configuration(dir, port, password));
  const child = spawn(PROGRAM, ['-F', '-c', config], { stdio: 'ignore' });
  try {
    await vi.waitUntil(() => greets(port), { timeout: 10_000 });
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { port, password, [Symbol.asyncDispose]: () => stop(child) };
}

function configuration(dir: string, port: number, password: string): string {
  return `
protocols = imap
listen = 127.0.0.1
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:${dir}/mail/%u
first_valid_uid = 1
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${dir}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`;
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('data', (greeting) => {
      socket.destroy();
      resolve(greeting.toString('latin1').startsWith('* OK'));
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
