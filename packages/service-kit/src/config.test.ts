import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  databaseConfig,
  parseConfig,
  queueConfig,
  queueConnection,
  serviceConfig,
  trackingConfig,
} from './config.js';
import { readEnvironment } from './env.js';

const schema = z.object({ ...serviceConfig, ...databaseConfig, ...queueConfig, ...trackingConfig });
const good = {
  DATABASE_URL: 'postgres://u:p@db/postloop',
  REDIS_URL: 'redis://cache:6379',
  PUBLIC_URL: 'https://t.shop.example/',
  TOKEN_KEYS: `2:${Buffer.alloc(32, 7).toString('base64')},1:${Buffer.alloc(32, 3).toString('base64')}`,
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

it('reports every problem at once, with the meaning of the variable', () => {
  const problems = problemsOf({ ...good, DATABASE_URL: '', HEALTH_PORT: '99999', LOG_LEVEL: 'loud' });
  expect(problems).toHaveLength(3);
  expect(problems.join('\n')).toMatch(/DATABASE_URL: is not set \(PostgreSQL, as postgres:/);
  expect(problems.join('\n')).toMatch(/HEALTH_PORT: .*65535/);
});

it.each([
  ['DATABASE_URL', 'mysql://db/x'],
  ['PUBLIC_URL', 'ftp://x.example'],
  ['TOKEN_KEYS', '1:short'],
  ['QUEUE_BACKEND', 'kafka'],
])('refuses %s=%s', (name, value) => {
  expect(problemsOf({ ...good, [name]: value })).toHaveLength(1);
});

it('reads keys in order: the first signs', () => {
  expect(parseConfig(schema, good).TOKEN_KEYS.map(({ id, secret }) => [id, secret.length])).toEqual([
    [2, 32],
    [1, 32],
  ]);
  expect(parseConfig(schema, good).PUBLIC_URL).toBe('https://t.shop.example');
});

it('asks for a Redis only when Redis is the backend', () => {
  const { REDIS_URL: _, ...none } = good;
  expect(() => queueConnection(parseConfig(schema, none))).toThrow(/REDIS_URL/);
  expect(queueConnection(parseConfig(schema, { ...none, QUEUE_BACKEND: 'postgres' }))).toMatchObject({
    backend: 'postgres',
    url: good.DATABASE_URL,
  });
});

it('takes a secret from the file that X_FILE names, unless X is set', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'postloop-')), 'secret');
  writeFileSync(file, 'from the file\n');
  expect(readEnvironment({ SFTP_PASSWORD_FILE: file }).SFTP_PASSWORD).toBe('from the file');
  expect(readEnvironment({ SFTP_PASSWORD_FILE: file, SFTP_PASSWORD: 'set' }).SFTP_PASSWORD).toBe('set');
});
