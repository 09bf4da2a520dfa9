import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { startOpenSsh, startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSftp, type SftpOptions } from './connect.js';
import { SftpAlreadyExists, SftpConnectionLost, SftpHostKeyError, SftpNotFound, SftpTooLarge } from './errors.js';
import type { SftpSession } from './session.js';

interface Peer extends AsyncDisposable {
  options: SftpOptions;
  /** Where the session's paths lie on this machine. */
  root: string;
  /** What a session's path starts with. */
  base: string;
}

const wrongKey = 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

async function ownServer(): Promise<Peer> {
  const dir = await temporaryDirectory();
  const root = join(dir.path, 'root');
  const user = { username: 'postloop', password: 'secret', root };
  const server = await startSftpServer({ hostKeyFile: join(dir.path, 'key'), users: [user] });
  const { port, hostKeyFingerprint: hostKey } = server;
  const options = { host: '127.0.0.1', port, username: user.username, password: user.password, hostKey };
  return { options, root, base: '/', [Symbol.asyncDispose]: () => stopAll(server, dir) };
}

async function openSsh(): Promise<Peer | undefined> {
  const dir = await temporaryDirectory();
  const root = join(dir.path, 'root');
  await mkdir(root);
  const server = await startOpenSsh({ dir: join(dir.path, 'sshd') });
  if (!server) return undefined;
  const { port, username, privateKey, hostPublicKey: hostKey } = server;
  const options = { host: '127.0.0.1', port, username, privateKey, hostKey };
  return { options, root, base: `${root}/`, [Symbol.asyncDispose]: () => stopAll(server, dir) };
}

async function stopAll(...parts: AsyncDisposable[]): Promise<void> {
  for (const part of parts) await part[Symbol.asyncDispose]();
}

const peers = [
  ['local-stack', await ownServer()],
  ['OpenSSH', await openSsh()],
] as const;

describe.each(peers.flatMap(([name, peer]) => (peer ? [{ name, peer }] : [])))('with $name', ({ peer }) => {
  let session: SftpSession;
  beforeAll(async () => {
    session = await connectSftp(peer.options);
  });
  afterAll(async () => {
    await session.close();
    await peer[Symbol.asyncDispose]();
  });
  const remote = (name: string) => `${peer.base}${name}`;
  const local = (name: string) => join(peer.root, name);

  test('makes directories again and again, from several sides at once', async () => {
    const paths = [remote('export'), remote('import/processing/'), remote('import/done'), remote('import')];
    await Promise.all([session.makeDirectories(paths), session.makeDirectories(paths)]);
    await session.makeDirectories(paths);
    expect((await readdir(local('import'))).sort()).toEqual(['done', 'processing']);
    await writeFile(local('file'), '');
    await expect(session.makeDirectories([remote('file/below')])).rejects.toThrow('is not a directory');
  });

  test('lists and describes what is there', async () => {
    await mkdir(local('listed/sub'), { recursive: true });
    await writeFile(local('listed/20261121100000_subscribers.csv'), 'a;b\n');
    await writeFile(local('listed/evil\nname\x1b[2J.csv'), 'x');
    await writeFile(local('listed/größe – ü.csv'), '12345');
    const files = await session.list(remote('listed'));
    expect(files.map(({ name, size, isDirectory }) => [name, isDirectory ? 'directory' : size]).sort()).toEqual([
      ['20261121100000_subscribers.csv', 4],
      ['größe – ü.csv', 5],
      ['sub', 'directory'],
    ]);
    const { mtime } = await stat(local('listed/größe – ü.csv'));
    const found = await session.stat(remote('listed/größe – ü.csv'));
    expect(found).toEqual(files.find((file) => file.size === 5));
    expect(found?.modifiedAt.getTime()).toBe(Math.floor(mtime.getTime() / 1000) * 1000);
    expect(await session.stat(remote('listed/none'))).toBeNull();
    await expect(session.list(remote('nowhere'))).rejects.toBeInstanceOf(SftpNotFound);
  });

  test('reads files of any size, whole or as a stream', async () => {
    for (const size of [0, 1, 31 * 1024, 31 * 1024 + 1, 5_000_001]) {
      const content = Buffer.alloc(size, 'all the letters of the loop; ');
      await writeFile(local('content'), content);
      expect((await session.readAll(remote('content'), size)).equals(content)).toBe(true);
      expect((await buffer(session.openRead(remote('content')))).equals(content)).toBe(true);
    }
    await expect(session.readAll(remote('content'), 5_000_000)).rejects.toBeInstanceOf(SftpTooLarge);
    await expect(session.readAll(remote('none'), 1)).rejects.toBeInstanceOf(SftpNotFound);
    await expect(buffer(session.openRead(remote('none')))).rejects.toBeInstanceOf(SftpNotFound);
  });

  test('a stream that is given up does not disturb the session', async () => {
    await writeFile(local('long'), Buffer.alloc(5_000_000));
    for await (const _ of session.openRead(remote('long'))) break;
    expect((await session.stat(remote('long')))?.size).toBe(5_000_000);
  });

  test('uploads under a hidden name that appears only when it is whole', async () => {
    await mkdir(local('up'));
    let seen: string[] = [];
    async function* source() {
      yield Buffer.alloc(100_000, 'a');
      seen = (await session.list(remote('up'))).map((file) => file.name);
      yield 'and text\n';
    }
    expect(await session.putAtomic(remote('up/out.csv'), Readable.from(source()))).toEqual({ bytes: 100_009 });
    expect(seen).toEqual(['.out.csv.part']);
    expect(await readdir(local('up'))).toEqual(['out.csv']);
    expect((await stat(local('up/out.csv'))).size).toBe(100_009);
    expect(await session.putAtomic(remote('up/empty.csv'), Buffer.alloc(0))).toEqual({ bytes: 0 });
  });

  test('writes every byte in its place, whatever the pieces that it comes in', async () => {
    const content = Buffer.from(Array.from({ length: 300_001 }, (_, i) => (i * i) % 251));
    const cuts = [0, 1, 8_193, 39_936, 71_680, 103_425, 203_425, 203_425, 268_961, content.length];
    const pieces = cuts.slice(1).map((end, i) => content.subarray(cuts[i], end));
    const source = Readable.from(pieces, { objectMode: false });
    expect(await session.upload(remote('pieces.csv'), source)).toEqual({ bytes: content.length });
    expect((await readFile(local('pieces.csv'))).equals(content)).toBe(true);
  });

  test('overwrites only when asked to, and cleans up after a failure', async () => {
    await mkdir(local('replace'));
    await writeFile(local('replace/log'), 'old');
    const put = session.putAtomic(remote('replace/log'), Buffer.from('new'));
    await expect(put).rejects.toBeInstanceOf(SftpAlreadyExists);
    expect(await readFile(local('replace/log'), 'utf8')).toBe('old');
    await session.putAtomic(remote('replace/log'), Buffer.from('new'), { replace: true });
    expect(await readFile(local('replace/log'), 'utf8')).toBe('new');
    await session.putAtomic(remote('replace/fresh'), Buffer.from('x'), { replace: true });

    async function* broken() {
      yield Buffer.alloc(50_000);
      throw new Error('the database went away');
    }
    const failing = session.putAtomic(remote('replace/half'), Readable.from(broken()));
    await expect(failing).rejects.toThrow('the database went away');
    expect((await readdir(local('replace'))).sort()).toEqual(['fresh', 'log']);
  });

  test('renames without overwriting; of many who want the same file one gets it', async () => {
    await mkdir(local('race'));
    await writeFile(local('race/a'), 'a');
    await writeFile(local('race/b'), 'b');
    await expect(session.rename(remote('race/a'), remote('race/b'))).rejects.toBeInstanceOf(SftpAlreadyExists);
    await expect(session.rename(remote('race/x'), remote('race/y'))).rejects.toBeInstanceOf(SftpNotFound);
    const moves = Array.from({ length: 10 }, (_, n) => session.rename(remote('race/a'), remote(`race/won${n}`)));
    const results = await Promise.allSettled(moves);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(SftpNotFound);
    expect(await readdir(local('race'))).toHaveLength(2);
    await session.remove(remote('race/b'));
    await expect(session.remove(remote('race/b'))).rejects.toBeInstanceOf(SftpNotFound);
  });

  test('a server with another key is not spoken to, and the error shows its fingerprint', async () => {
    const failure = await connectSftp({ ...peer.options, hostKey: wrongKey }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SftpHostKeyError);
    expect(String(failure)).toMatch(/offered the host key SHA256:\S{43} \(ssh-ed25519\).*pinned is SHA256:A{43}/);
    const offered = /offered the host key (SHA256:\S+)/.exec(String(failure))?.[1] ?? '';
    await using pinned = await connectSftp({ ...peer.options, hostKey: `${wrongKey}\n${offered}` });
    expect(await pinned.stat(peer.base)).toMatchObject({ isDirectory: true });
    await expect(connectSftp({ ...peer.options, hostKey: '' })).rejects.toThrow('no host key is pinned');
  });

  test('a refused login says whose', async () => {
    const stranger = connectSftp({ ...peer.options, username: 'nobody-here' });
    await expect(stranger).rejects.toThrow(/refused the login of nobody-here/);
  });

  test('a closed session answers at once', async () => {
    const closing = await connectSftp(peer.options);
    const pending = expect(closing.list(peer.base)).rejects.toBeInstanceOf(SftpConnectionLost);
    await closing.close();
    await pending;
    await expect(closing.list(peer.base)).rejects.toBeInstanceOf(SftpConnectionLost);
    await closing.close();
  });
});
