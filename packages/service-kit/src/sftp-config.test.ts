import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseConfig } from './config.js';
import { sftpConfig, sftpOf } from './sftp-config.js';

const folder = mkdtempSync(join(tmpdir(), 'sftp-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const HOST_KEY = 'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8';
const schema = z.object(sftpConfig);
const read = (accounts: object | string) =>
  parseConfig(schema, {
    SFTP_HOST: 'sftp.example',
    SFTP_USERNAME: 'postloop',
    SFTP_PASSWORD: 'all',
    SFTP_HOST_KEY: HOST_KEY,
    SFTP_ACCOUNTS: typeof accounts === 'string' ? accounts : JSON.stringify(accounts),
  });

it('a client that names no account has the one for all', () => {
  expect(sftpOf(read({}), { sftpAccount: null })).toEqual({
    host: 'sftp.example',
    port: 22,
    username: 'postloop',
    password: 'all',
    hostKey: HOST_KEY,
    root: '/',
  });
});

it('a client that names one has that one: password in the URL, password by file, key by file', () => {
  const config = read({
    url: { url: 'sftp://us%40er:p%3A%2Fss@[::1]:2222/ex%20change', hostKey: HOST_KEY },
    file: { url: 'sftp://user@one.example', passwordFile: fileOf('password', 'secret\n'), hostKey: HOST_KEY },
    key: { url: 'sftp://user@two.example/in', privateKeyFile: fileOf('key', 'PEM\n'), hostKey: HOST_KEY },
  });
  expect(sftpOf(config, { sftpAccount: 'url' })).toEqual({
    host: '::1',
    port: 2222,
    username: 'us@er',
    password: 'p:/ss',
    hostKey: HOST_KEY,
    root: '/ex change',
  });
  expect(sftpOf(config, { sftpAccount: 'file' })).toMatchObject({
    host: 'one.example',
    port: 22,
    password: 'secret',
    root: '/',
  });
  expect(sftpOf(config, { sftpAccount: 'key' })).toMatchObject({ privateKey: 'PEM\n', root: '/in' });
  expect(sftpOf(config, { sftpAccount: 'key' })).not.toHaveProperty('password');
});

it.each(['nobody', 'constructor'])(
  'an account that is not configured (%s) is an error that names it',
  (sftpAccount) => {
    expect(() => sftpOf(read({}), { sftpAccount })).toThrow(ConfigError);
    expect(() => sftpOf(read({}), { sftpAccount })).toThrow(`"${sftpAccount}"`);
  },
);

it.each<[string, object | string, RegExp]>([
  ['no JSON', '{"a": secret', /not JSON/],
  ['no host key', { a: { url: 'sftp://u:secret@h' } }, /a\.hostKey/],
  ['another protocol', { a: { url: 'ftp://u:secret@h', hostKey: HOST_KEY } }, /a\.url/],
  ['no user', { a: { url: 'sftp://h', privateKey: 'secret', hostKey: HOST_KEY } }, /a: .*no user/],
  ['no login', { a: { url: 'sftp://u@h', hostKey: HOST_KEY } }, /a: it needs one of/],
  ['two logins', { a: { url: 'sftp://u:secret@h', privateKey: 'secret', hostKey: HOST_KEY } }, /a: it needs one of/],
  ['a file that is not there', { a: { url: 'sftp://u@h', privateKeyFile: '/no/key', hostKey: HOST_KEY } }, /ENOENT/],
  ['a name that clients cannot have', { 'A b': { url: 'sftp://u:secret@h', hostKey: HOST_KEY } }, /A b/],
])('%s is told by place, without a secret', (_what, accounts, told) => {
  expect(() => read(accounts)).toThrow(told);
  try {
    read(accounts);
  } catch (error) {
    expect(String(error)).not.toContain('secret');
  }
});
