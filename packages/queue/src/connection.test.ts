import { findRedisServer, freePort, type RedisServer, startRedis, temporaryDirectory } from '@postloop/local-stack';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkQueueBackend } from './connection.js';

const missing = findRedisServer() === undefined;
const why = missing ? ' (SKIPPED: no redis-server or valkey-server on this machine)' : '';

describe.skipIf(missing)(`checkQueueBackend on redis${why}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: RedisServer;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    server = await startRedis({ dir: directory.path });
  });
  afterAll(async () => {
    await server.stop();
    await directory[Symbol.asyncDispose]();
  });

  const check = (url: string) => checkQueueBackend({ backend: 'redis', url, prefix: 'postloop' });
  const setPolicy = async (policy: string) => {
    const admin = new Redis(server.url);
    await admin.config('SET', 'maxmemory-policy', policy);
    await admin.quit();
  };

  it('passes one that keeps everything', async () => {
    await expect(check(server.url)).resolves.toBeUndefined();
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('refuses one that evicts (%s), and says what to set', async (policy) => {
    await setPolicy(policy);
    await expect(check(server.url)).rejects.toThrow(new RegExp(`${policy}.*"maxmemory-policy noeviction"`));
    await setPolicy('noeviction');
  });

  it('fails at once when nothing answers', async () => {
    await expect(check(`redis://127.0.0.1:${await freePort()}`)).rejects.toThrow();
  });
});
