import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import SftpClient from 'ssh2-sftp-client';
import { SftpConnectionLost, SftpError, SftpHostKeyError } from './errors.js';
import { fingerprintOf, isPinned, keyTypeOf, type PinnedHostKeys, parseHostKeys } from './host-key.js';
import { SftpRequests } from './requests.js';
import { SftpSession } from './session.js';

export interface SftpOptions {
  host: string;
  port: number;
  username: string;
  password?: string;
  /** PEM or OpenSSH private key, without passphrase. */
  privateKey?: string | Buffer;
  /** What the server must show: `SHA256:…` or an OpenSSH public key line; several (for a change of keys) one per line. */
  hostKey: string;
  /** Directory of the server below which all paths are taken. Default `/`: the account's own root. */
  root?: string;
  /** Milliseconds for the TCP connection and for the SSH handshake with login, each. Default 15,000. */
  connectTimeoutMs?: number;
}

/**
 * Connects, checks the host key, logs in. Rejects with SftpHostKeyError (no key pinned, or another one offered; the
 * message shows the offered fingerprint), SftpConnectionLost (not reachable in time) or SftpError (login refused).
 */
export async function connectSftp(options: SftpOptions): Promise<SftpSession> {
  const pins = parseHostKeys(options.hostKey);
  const place = `${options.host}:${options.port}`;
  const timeout = options.connectTimeoutMs ?? 15_000;
  // Our own socket: it can be destroyed whatever state the SSH layers above are in.
  const socket = await openSocket(options.host, options.port, timeout);
  const client = new SftpClient('postloop', { error: () => {}, end: () => {}, close: () => {} });
  let offered: Buffer | undefined;
  try {
    const sftp = await client.connect({
      sock: socket,
      username: options.username,
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(options.privateKey === undefined ? {} : { privateKey: options.privateKey }),
      readyTimeout: timeout,
      // A server that is gone without a word is noticed after half a minute.
      keepaliveInterval: 10_000,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => {
        offered = key;
        return isPinned(pins, key);
      },
      ...algorithmsFor(pins),
    });
    const requests = new SftpRequests(sftp, socket, options.root ?? '/');
    sftp.on('close', () => requests.connectionLost(`the SFTP server ${place} closed the channel`));
    socket.on('close', () => requests.connectionLost(`the connection to the SFTP server ${place} was lost`));
    return new SftpSession(requests, () => disconnect(client, socket));
  } catch (error) {
    socket.destroy();
    throw explain(error, options, pins, offered);
  }
}

/** Nagle's algorithm off: SFTP is many small requests, and waiting for their ACKs costs four to eleven times the throughput. */
async function openSocket(host: string, port: number, timeoutMs: number): Promise<Socket> {
  const socket = connectSocket({ host, port }).setNoDelay(true);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return socket;
  } catch (error) {
    socket.on('error', () => {}).destroy();
    const late = error instanceof Error && error.name === 'AbortError';
    const reason = late ? `no answer within ${timeoutMs} ms` : messageOf(error);
    throw new SftpConnectionLost(`cannot reach the SFTP server ${host}:${port}: ${reason}`, undefined, {
      cause: error,
    });
  }
}

function algorithmsFor(pins: PinnedHostKeys): object {
  // A server with several keys shows the pinned one only when asked for that kind.
  return pins.algorithms ? { algorithms: { serverHostKey: pins.algorithms } } : {};
}

function explain(error: unknown, options: SftpOptions, pins: PinnedHostKeys, offered: Buffer | undefined): SftpError {
  const place = `${options.host}:${options.port}`;
  const cause = { cause: error };
  if (offered && !isPinned(pins, offered)) {
    return new SftpHostKeyError(
      `the SFTP server ${place} offered the host key ${fingerprintOf(offered)} (${keyTypeOf(offered)}), ` +
        `but pinned is ${pins.fingerprints.join(' or ')}. If the server's operator confirms the offered fingerprint, ` +
        'pin that one; if not, somebody may be listening in between',
      undefined,
      cause,
    );
  }
  const message = messageOf(error);
  if (/no matching host key/i.test(message) || /handshake failed.*host key/i.test(message)) {
    return new SftpHostKeyError(
      `the SFTP server ${place} has no host key of the pinned kind (${pins.algorithms?.join(', ')}): ` +
        'pin the key that it shows now, after its operator confirmed it',
      undefined,
      cause,
    );
  }
  if (/authentication methods failed/i.test(message)) {
    return new SftpError(
      `the SFTP server ${place} refused the login of ${options.username}: check the password or key`,
      undefined,
      cause,
    );
  }
  return new SftpConnectionLost(`the SFTP session with ${place} did not start: ${message}`, undefined, cause);
}

async function disconnect(client: SftpClient, socket: Socket): Promise<void> {
  if (!socket.destroyed) await Promise.race([client.end().catch(() => {}), delay(2_000, undefined, { ref: false })]);
  socket.destroy();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
