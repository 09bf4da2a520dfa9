import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseConfig, transportsOf } from '@postloop/service-kit';
import { afterAll, expect, it } from 'vitest';
import { configSchema } from './config.js';

const good = {
  DATABASE_URL: 'postgres://u:p@db/postloop',
  REDIS_URL: 'redis://cache:6379',
  PUBLIC_URL: 'https://t.shop.example',
  TOKEN_KEYS: `1:${Buffer.alloc(32, 7).toString('base64')}`,
  RETURN_PATH_DOMAIN: 'bounce.shop.example',
  SMTP_URL: 'smtp://mail.example',
};

const directory = mkdtempSync(join(tmpdir(), 'postloop-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const keyFile = (type: 'rsa' | 'ed25519'): string => {
  const file = join(directory, `${type}.pem`);
  const { privateKey } =
    type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync(type);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return file;
};
const [rsa, ed] = [keyFile('rsa'), keyFile('ed25519')];

function problemsOf(env: Record<string, string>): string {
  try {
    parseConfig(configSchema, { ...good, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
  return '';
}

const transports = (value: object) => ({ SMTP_TRANSPORTS: JSON.stringify(value) });

it('without more than SMTP_URL there is one transport, which signs nothing', () => {
  const config = parseConfig(configSchema, good);
  expect(config.DKIM_KEYS).toEqual([]);
  expect(transportsOf(config)).toMatchObject([
    { name: 'default', connections: 20, server: { host: 'mail.example', port: 25, secure: false, requireTls: false } },
  ]);
});

it('a server that is logged in to needs TLS unless the contrary was said', () => {
  const requireTls = (env: object) =>
    transportsOf(parseConfig(configSchema, { ...good, ...env }))[0]?.server.requireTls;
  expect(requireTls({ SMTP_URL: 'smtp://u:p@mail.example' })).toBe(true);
  expect(requireTls({ SMTP_URL: 'smtp://u:p@mail.example', SMTP_REQUIRE_TLS: 'false' })).toBe(false);
  expect(requireTls({ SMTP_REQUIRE_TLS: 'true' })).toBe(true);
});

it('a named transport takes what it leaves open from the SMTP_… variables', () => {
  const config = parseConfig(configSchema, {
    ...good,
    SMTP_HELLO_NAME: 'out.shop.example',
    ...transports({
      big: { url: 'smtps://[::1]', connections: 3, mailsPerSecond: 0.5, dkim: ['r1'] },
      own: { url: 'smtp://a%40b:p%3A@h:587', helloName: 'x.example' },
    }),
    DKIM_KEYS: `shop.example:r1:rsa:${rsa}, shop.example:e1:ed25519-sha256:${ed}`,
  });
  const [, big, own] = transportsOf(config);
  expect(big).toMatchObject({ name: 'big', connections: 3, mailsPerSecond: 0.5, dkim: ['r1'] });
  expect(big?.server).toMatchObject({ host: '::1', port: 465, secure: true, helloName: 'out.shop.example' });
  expect(own?.server).toMatchObject({ port: 587, requireTls: true, helloName: 'x.example' });
  expect(own?.server.login).toEqual({ type: 'password', user: 'a@b', password: 'p:' });
  expect(config.DKIM_KEYS.map(({ selector, algorithm }) => [selector, algorithm])).toEqual([
    ['r1', 'rsa-sha256'],
    ['e1', 'ed25519-sha256'],
  ]);
});

it('what hands mails over and what encodes them is our own, unless nodemailer was asked for', () => {
  const clients = (env: Record<string, string>) =>
    transportsOf(parseConfig(configSchema, { ...good, ...env })).map(({ name, client }) => [name, client]);
  const more = transports({ a: { url: 'smtp://a' }, b: { url: 'smtp://b', client: 'nodemailer' } });
  expect(clients(more)).toEqual([
    ['default', 'pipelined'],
    ['a', 'pipelined'],
    ['b', 'nodemailer'],
  ]);
  const back = transports({ a: { url: 'smtp://a' }, b: { url: 'smtp://b', client: 'pipelined' } });
  expect(clients({ SMTP_CLIENT: 'nodemailer', ...back })).toEqual([
    ['default', 'nodemailer'],
    ['a', 'nodemailer'],
    ['b', 'pipelined'],
  ]);
  expect(parseConfig(configSchema, good).MAIL_COMPOSER).toBe('segments');
  expect(parseConfig(configSchema, { ...good, MAIL_COMPOSER: 'nodemailer' }).MAIL_COMPOSER).toBe('nodemailer');
});

it('keys may come as JSON, from a file or as they are', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const json = [
    { domain: 'a.example', selector: 's', algorithm: 'rsa', file: rsa },
    { domain: 'b.example', selector: 's', algorithm: 'ed25519', key: pem },
  ];
  expect(parseConfig(configSchema, { ...good, DKIM_KEYS: JSON.stringify(json) }).DKIM_KEYS).toHaveLength(2);
});

it.each<[string, Record<string, string>, RegExp[]]>([
  [
    'no JSON',
    { SMTP_TRANSPORTS: '{"a":{"url":"smtp://u:Secret1@h"' },
    [/SMTP_TRANSPORTS: it is not JSON \(position \d+\) /],
  ],
  [
    'several faults',
    transports({
      a: { url: 'smtp://u:Secret1@h', conections: 1 },
      b: { url: 'http://u:Secret1@h', mailsPerSecond: 0 },
    }),
    [/a: Unrecognized key: "conections"/, /b\.url: Invalid URL/, /b\.mailsPerSecond: Too small/],
  ],
  [
    'who hands over and encodes',
    { SMTP_CLIENT: 'Secret1', MAIL_COMPOSER: 'Secret1', ...transports({ a: { url: 'smtp://h', client: 'Secret1' } }) },
    [/SMTP_CLIENT: .*"pipelined"\|"nodemailer"/, /MAIL_COMPOSER: .*"segments"\|"nodemailer"/, /a\.client: /],
  ],
  [
    'names and logins',
    transports({
      default: { url: 'smtp://h' },
      'Not good': { url: 'smtp://h' },
      half: { url: 'smtp://u@h' },
      code: { url: 'smtp://u:Secret1%zz@h' },
    }),
    [/default: this name belongs/, /Not good: a name has/, /half: a user needs a password/, /code: .*percent-encoded/],
  ],
  [
    'a certificate that is not there',
    transports({ a: { url: 'smtp://h', tls: { caFile: '/none' } } }),
    [/a: \/none cannot be read \(ENOENT\)/],
  ],
  [
    'secrets for an http server',
    transports({
      a: {
        url: 'smtp://h',
        auth: {
          type: 'xoauth2',
          user: 'u',
          clientId: 'c',
          clientSecret: 'Secret1',
          refreshToken: 'Secret1',
          accessUrl: 'http://evil.example/',
        },
      },
    }),
    [/a\.auth\.accessUrl: secrets go to https only/],
  ],
  [
    'a selector without a key',
    transports({ a: { url: 'smtp://h', dkim: ['none'] } }),
    [/a\.dkim: DKIM_KEYS has no key with the selector none/],
  ],
  [
    'keys',
    { DKIM_KEYS: `a.example:s:rsa:${ed},b.example:s:rsa:/none\nc.example:s:dsa:x, Secret1` },
    [
      /s\._domainkey\.a\.example: the key is of type ed25519/,
      /b\.example: \/none cannot be read/,
      /c\.example: the algorithm is one of/,
      /entry 4: write domain:/,
    ],
  ],
  ['a key twice', { DKIM_KEYS: `a.example:s:rsa:${rsa},A.example:S:ed25519:${ed}` }, [/is there twice/]],
  [
    'a JSON key that is none',
    { DKIM_KEYS: '[{"domain":"a.example","selector":"s","algorithm":"rsa","key":"Secret1"}]' },
    [/no PEM of a private key/],
  ],
])('tells at start: %s; and no secret', (_what, env, expected) => {
  const problems = problemsOf(env);
  for (const problem of expected) expect(problems).toMatch(problem);
  expect(problems.split('\n')).toHaveLength(expected.length);
  expect(problems).not.toContain('Secret1');
});
