import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SFTPWrapper } from 'ssh2';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from './find-program.js';
import { makeKeyPair } from './sftp-host-key.js';
import { type SftpServer, startSftpServer } from './sftp-server.js';
import { temporaryDirectory } from './temporary-directory.js';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: SftpServer;
let root: string;
const keys = makeKeyPair();

beforeAll(async () => {
  dir = await temporaryDirectory();
  root = join(dir.path, 'anna');
  server = await startSftpServer({
    hostKeyFile: join(dir.path, 'host_key'),
    users: [
      { username: 'anna', password: 'secret', publicKey: keys.public, root },
      { username: 'bert', password: 'other', root: join(dir.path, 'bert') },
    ],
  });
  await writeFile(join(dir.path, 'outside.txt'), 'not yours');
  await symlink('../outside.txt', join(root, 'out'));
  await symlink('..', join(root, 'up'));
});
afterAll(async () => {
  await server.stop();
  await dir[Symbol.asyncDispose]();
});

function login(username: string, credentials: { password?: string; privateKey?: string }): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('error', reject);
    client.on('ready', () => {
      client.sftp((error, sftp) => {
        if (error) reject(error);
        else resolve({ sftp, [Symbol.dispose]: () => client.end() });
      });
    });
    client.connect({ host: '127.0.0.1', port: server.port, username, ...credentials });
  });
}
type Client = { sftp: SFTPWrapper } & Disposable;

const call = <T>(run: (done: (error: Error | null | undefined, value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value))));

test('lets in whom it knows, by password or key, each to an own root', async () => {
  using byPassword = await login('anna', { password: 'secret' });
  using byKey = await login('anna', { privateKey: keys.private });
  using bert = await login('bert', { password: 'other' });
  await call<void>((done) => byPassword.sftp.writeFile('mine.txt', 'x', (error) => done(error)));
  expect((await call<ssh2.Stats>((done) => byKey.sftp.stat('/mine.txt', done))).size).toBe(1);
  await expect(call((done) => bert.sftp.stat('/mine.txt', done))).rejects.toMatchObject({ code: 2 });
  const foreign = makeKeyPair().private;
  for (const [name, wrong] of [
    ['anna', { password: 'other' }],
    ['anna', { privateKey: foreign }],
    ['bert', { privateKey: keys.private }],
    ['carl', { password: 'secret' }],
  ] as const) {
    await expect(login(name, wrong)).rejects.toThrow(/authentication methods failed/);
  }
});

describe('the root is a jail', () => {
  test.each(['../outside.txt', '/../../outside.txt', 'out', 'up/outside.txt', '/up/../outside.txt'])(
    'nothing outside is read or written through %s',
    async (path) => {
      using anna = await login('anna', { password: 'secret' });
      // Either there is no such file, or it is one of the same name inside.
      const seen = await call<Buffer>((done) => anna.sftp.readFile(path, done)).then(String, () => 'refused');
      expect(seen).not.toContain('not yours');
      await call<void>((done) => anna.sftp.writeFile(path, 'changed', (error) => done(error))).catch(() => {});
      expect(await readFile(join(dir.path, 'outside.txt'), 'utf8')).toBe('not yours');
    },
  );

  test('links cannot be made, and the way up ends at /', async () => {
    using anna = await login('anna', { password: 'secret' });
    await expect(call<void>((done) => anna.sftp.symlink('/etc/passwd', 'link', (e) => done(e)))).rejects.toMatchObject({
      code: 8,
    });
    expect(await call<string>((done) => anna.sftp.realpath('a/../../..', done))).toBe('/');
  });
});

test('rename never overwrites, and of many who move one file exactly one wins', async () => {
  using anna = await login('anna', { password: 'secret' });
  await Promise.all([writeFile(join(root, 'a'), 'a'), writeFile(join(root, 'b'), 'b')]);
  await expect(call<void>((done) => anna.sftp.rename('a', 'b', (error) => done(error)))).rejects.toMatchObject({
    code: 4,
  });
  expect(await readFile(join(root, 'b'), 'utf8')).toBe('b');
  const moves = Array.from({ length: 20 }, (_, n) =>
    call<void>((done) => anna.sftp.rename('a', `won${n}`, (e) => done(e))),
  );
  const results = await Promise.allSettled(moves);
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  const names = (await call<ssh2.FileEntry[]>((done) => anna.sftp.readdir('/', done))).map((entry) => entry.filename);
  expect(names.filter((name) => name.startsWith('won'))).toHaveLength(1);
  expect(names).not.toContain('a');
});

test('lists directories of many files whole', async () => {
  await mkdir(join(root, 'many'));
  await Promise.all(Array.from({ length: 300 }, (_, n) => writeFile(join(root, 'many', `${n}.csv`), 'x'.repeat(n))));
  using anna = await login('anna', { password: 'secret' });
  const entries = await call<ssh2.FileEntry[]>((done) => anna.sftp.readdir('many', done));
  expect(entries.map((entry) => [entry.filename, entry.attrs.size]).sort()).toEqual(
    Array.from({ length: 300 }, (_, n) => [`${n}.csv`, n]).sort(),
  );
});

test.skipIf(!findProgram(['sftp']))('serves the command line client of OpenSSH, and keeps its host key', async () => {
  const again = await startSftpServer({ hostKeyFile: join(dir.path, 'host_key'), users: [] });
  expect(again.hostKeyFingerprint).toBe(server.hostKeyFingerprint);
  await again.stop();

  const local = join(dir.path, 'local');
  await mkdir(local);
  const content = Buffer.alloc(3_000_000, 'postloop ');
  await writeFile(join(local, 'big'), content);
  await writeFile(join(local, 'key'), keys.private, { mode: 0o600 });
  await writeFile(join(local, 'known'), `[127.0.0.1]:${server.port} ${server.hostPublicKey}\n`);
  const batch = [
    'mkdir in',
    'put big in/.big.part',
    'rename in/.big.part in/big',
    'ls -l in',
    'get in/big back',
    'rm in/big',
    'rmdir in',
  ];
  await writeFile(join(local, 'batch'), `${batch.join('\n')}\n`);
  const options = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${join(local, 'known')}`, 'IdentitiesOnly=yes'];
  const { stdout } = await promisify(execFile)(
    'sftp',
    [
      '-P',
      `${server.port}`,
      '-i',
      'key',
      ...options.flatMap((option) => ['-o', option]),
      '-b',
      'batch',
      'anna@127.0.0.1',
    ],
    { cwd: local },
  );
  expect(stdout).toMatch(/^-rw-r--r-- .* 3000000 \w{3} [ \d]\d \d\d:\d\d .*big$/m);
  expect((await readFile(join(local, 'back'))).equals(content)).toBe(true);
});
