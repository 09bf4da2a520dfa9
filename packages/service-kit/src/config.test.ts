import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
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

describe('a variable in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postloop-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'url');
  writeFileSync(file, 'postgres://from/file\n');
  const { DATABASE_URL: _, ...others } = good;
  const urlOf = (env: Record<string, string>) => parseConfig(schema, { ...others, ...env }).DATABASE_URL;

  it('is taken unless the variable itself says something', () => {
    expect(urlOf({ DATABASE_URL_FILE: file })).toBe('postgres://from/file');
    expect(urlOf({ DATABASE_URL_FILE: file, DATABASE_URL: '' })).toBe('postgres://from/file');
    expect(urlOf({ DATABASE_URL_FILE: file, DATABASE_URL: 'postgres://set/itself' })).toBe('postgres://set/itself');
  });

  it('that cannot be read is one problem among the others: which, where, what to do', () => {
    const gone = join(folder, 'gone');
    const problems = problemsOf({ ...others, DATABASE_URL_FILE: gone, REDIS_URL_FILE: folder, HEALTH_PORT: '99999' });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toBe(
      `DATABASE_URL: ${gone} cannot be read (ENOENT): correct DATABASE_URL_FILE, or set DATABASE_URL itself`,
    );
    const { REDIS_URL: _redis, ...fewer } = others;
    expect(problemsOf({ ...fewer, DATABASE_URL_FILE: file, REDIS_URL_FILE: folder })).toEqual([
      expect.stringMatching(/^REDIS_URL: .*EISDIR/),
    ]);
  });

  it("that belongs to another program's variable is not looked for", () => {
    expect(problemsOf({ ...good, CLOUD_CONFIG_FILE: '/nowhere/rc' })).toEqual([]);
  });
});
