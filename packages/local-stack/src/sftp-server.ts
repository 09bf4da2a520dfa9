import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { AuthContext, Connection } from 'ssh2';
import ssh2 from 'ssh2';
import { loadHostKey } from './sftp-host-key.js';
import { Jail } from './sftp-jail.js';
import { serveSftp } from './sftp-session.js';

export interface SftpUser {
  username: string;
  password?: string;
  /** OpenSSH public key line. */
  publicKey?: string;
  /** All that this user sees, as `/`. Made when missing. */
  root: string;
}

export interface SftpServerOptions {
  /** Private host key; made (ed25519) when the file is missing, so the key stays over restarts. */
  hostKeyFile: string;
  users: SftpUser[];
  /** Default: a free one. */
  port?: number;
}

export interface SftpServer extends AsyncDisposable {
  readonly port: number;
  /** `SHA256:…`. */
  readonly hostKeyFingerprint: string;
  /** OpenSSH public key line. */
  readonly hostPublicKey: string;
  /** Cuts all connections. */
  stop(): Promise<void>;
}

/**
 * A small SFTP v3 server on 127.0.0.1 for the demo and the tests: strict like OpenSSH (RENAME never overwrites), without
 * its extensions, without links. Not hardened for the open network.
 */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const key = await loadHostKey(options.hostKeyFile);
  const accounts = new Map<string, Account>();
  for (const user of options.users) {
    await mkdir(user.root, { recursive: true });
    accounts.set(user.username, makeAccount(user));
  }
  const ssh = new ssh2.Server({ hostKeys: [key.privateKey] }, (connection) => serveConnection(connection, accounts));
  const open = new Set<Socket>();
  // Our own listener, because ssh2 cannot switch Nagle's algorithm off: SFTP answers are many and small.
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    ssh.injectSocket(socket);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the SFTP server has no port');
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  return {
    port: address.port,
    hostKeyFingerprint: key.fingerprint,
    hostPublicKey: key.publicKey,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Account {
  passwordHash: Buffer | undefined;
  publicKey: ReturnType<typeof parsePublicKey> | undefined;
  jail: Jail;
}

function makeAccount(user: SftpUser): Account {
  return {
    passwordHash: user.password === undefined ? undefined : sha256(user.password),
    publicKey: user.publicKey === undefined ? undefined : parsePublicKey(user.publicKey),
    jail: new Jail(user.root),
  };
}

function parsePublicKey(line: string) {
  const key = ssh2.utils.parseKey(line);
  if (key instanceof Error) throw key;
  return key;
}

function serveConnection(connection: Connection, accounts: Map<string, Account>): void {
  let jail: Jail | undefined;
  // A client that vanishes is no event here.
  connection.on('error', () => {});
  connection.on('authentication', (context) => {
    const account = accounts.get(context.username);
    if (!account || !mayEnter(context, account)) return context.reject(['password', 'publickey']);
    jail = account.jail;
    context.accept();
  });
  connection.on('session', (acceptSession) => {
    acceptSession().on('sftp', (acceptSftp, reject) => {
      if (jail) serveSftp(acceptSftp(), jail);
      else reject();
    });
  });
}

function mayEnter(context: AuthContext, account: Account): boolean {
  if (context.method === 'password') {
    return account.passwordHash !== undefined && timingSafeEqual(account.passwordHash, sha256(context.password));
  }
  if (context.method !== 'publickey' || !account.publicKey) return false;
  const expected = account.publicKey;
  if (context.key.algo !== expected.type || !expected.getPublicSSH().equals(context.key.data)) return false;
  // Without a signature the client only asks whether this key would do (RFC 4252, section 7).
  if (!context.signature || !context.blob) return context.signature === undefined;
  return expected.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
