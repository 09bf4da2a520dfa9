import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { makeKeyPair } from '@postloop/local-stack';
import type { Attributes, SFTPWrapper } from 'ssh2';
import ssh2 from 'ssh2';
import { afterEach, expect, test } from 'vitest';
import { connectSftp } from './connect.js';
import { SftpAlreadyExists, SftpConnectionLost } from './errors.js';
import { fingerprintOf } from './host-key.js';

const keys = makeKeyPair();
const parsed = ssh2.utils.parseKey(keys.public);
if (parsed instanceof Error) throw parsed;
const hostKey = fingerprintOf(parsed.getPublicSSH());
const attrs: Attributes = { mode: 0o100644, uid: 0, gid: 0, size: 3, atime: 0, mtime: 0 };

let listener: Server;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  listener.close();
});

/** A server that behaves as `behaviour` says, and a session with it. */
async function sessionWith(behaviour: (sftp: SFTPWrapper, cut: () => void) => void) {
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = new ssh2.Server({ hostKeys: [keys.private] }, (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => context.accept());
    connection.on('session', (accept) => accept().on('sftp', (acceptSftp) => behaviour(acceptSftp(), cut)));
  });
  listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
    server.injectSocket(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return connectSftp({ host: '127.0.0.1', port, username: 'x', password: 'x', hostKey });
}

test('names that could lead elsewhere or garble a log are not listed', async () => {
  const hostile = ['../../etc/passwd', '/etc/passwd', 'a\0.csv', 'a\nb.csv', 'a\x1b[2J', 'a\u0085b', '', '..', '.'];
  await using session = await sessionWith((sftp) => {
    let sent = false;
    sftp.on('OPENDIR', (id) => sftp.handle(id, Buffer.from('d')));
    sftp.on('READDIR', (id) => {
      if (sent) return sftp.status(id, 1);
      sent = true;
      sftp.name(
        id,
        [...hostile, 'good.csv'].map((filename) => ({ filename, longname: '', attrs })),
      );
    });
    sftp.on('CLOSE', (id) => sftp.status(id, 0));
  });
  expect((await session.list('/')).map((file) => file.name)).toEqual(['good.csv']);
});

test('a server that answers reads in small pieces, out of order, loses nothing', async () => {
  const content = Buffer.from(Array.from({ length: 200_000 }, (_, n) => n % 251));
  await using session = await sessionWith((sftp) => {
    sftp.on('OPEN', (id) => sftp.handle(id, Buffer.from('f')));
    sftp.on('CLOSE', (id) => sftp.status(id, 0));
    sftp.on('READ', (id, _handle, offset, length) => {
      const piece = content.subarray(offset, offset + Math.min(length, 10_000));
      // Every other answer overtakes the next one.
      const answer = () => (piece.length === 0 ? sftp.status(id, 1) : sftp.data(id, piece));
      if (id % 2) answer();
      else setImmediate(answer);
    });
  });
  expect((await session.readAll('/f', 1_000_000)).equals(content)).toBe(true);
});

test('an upload that the server cut short is noticed and does not appear', async () => {
  const asked: string[] = [];
  await using session = await sessionWith((sftp) => {
    sftp.on('STAT', (id, path) => (path === '/out' ? sftp.status(id, 2) : sftp.attrs(id, attrs)));
    sftp.on('OPEN', (id) => sftp.handle(id, Buffer.from('f')));
    for (const request of ['WRITE', 'CLOSE']) sftp.on(request, (id: number) => sftp.status(id, 0));
    sftp.on('REMOVE', (id, path) => {
      asked.push(`remove ${path}`);
      sftp.status(id, 0);
    });
    sftp.on('RENAME', (id, from) => {
      asked.push(`rename ${from}`);
      sftp.status(id, 0);
    });
  });
  await expect(session.putAtomic('/out', Buffer.from('12345'))).rejects.toThrow('wrote 5 bytes, the server has 3');
  expect(asked).toEqual(['remove /.out.part']);
});

test('a file is not renamed over another, even where the server would do it', async () => {
  let renamed = false;
  await using session = await sessionWith((sftp) => {
    sftp.on('STAT', (id) => sftp.attrs(id, attrs));
    sftp.on('RENAME', (id) => {
      renamed = true;
      sftp.status(id, 0);
    });
  });
  await expect(session.rename('/a', '/b')).rejects.toBeInstanceOf(SftpAlreadyExists);
  expect(renamed).toBe(false);
});

test('what the server says goes into errors without control characters', async () => {
  await using session = await sessionWith((sftp) => {
    sftp.on('REMOVE', (id) => sftp.status(id, 4, `no\n2026 INFO all is well\x1b[2J${'!'.repeat(1000)}`));
  });
  const failure = await session.remove('/x').catch((error: unknown) => error);
  expect(String(failure)).toMatch(/^SftpError: remove \/x: no 2026 INFO all is well \[2J!+$/);
  expect(String(failure).length).toBeLessThan(400);
});

test('requests that are open when the connection breaks are rejected, and later ones too', async () => {
  const session = await sessionWith((sftp, cut) => {
    sftp.on('STAT', () => {});
    sftp.on('REMOVE', cut);
  });
  const open = [session.stat('/a'), session.remove('/b')];
  for (const result of await Promise.allSettled(open)) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(SftpConnectionLost) });
  }
  await expect(session.stat('/c')).rejects.toBeInstanceOf(SftpConnectionLost);
  await session.close();
});

test('a server that does not answer the greeting, or is not there, is given up in time', async () => {
  listener = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const options = { host: '127.0.0.1', port, username: 'x', password: 'x', hostKey, connectTimeoutMs: 200 };
  await expect(connectSftp(options)).rejects.toThrow(/did not start.*handshake/i);
  listener.close();
  for (const socket of sockets) socket.destroy();
  await once(listener, 'close');
  await expect(connectSftp(options)).rejects.toThrow(`cannot reach the SFTP server 127.0.0.1:${port}`);
});
