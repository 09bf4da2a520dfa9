import { findRedisServer } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { redisCommand } from '../support/redis.js';
import { redisOf } from '../support/servers.js';
import { until } from '../support/until.js';
import { openWorld, sendingApps } from '../support/world.js';

it.skipIf(!findRedisServer())('a Redis that evicts keys is refused at the start, with what to set', async () => {
  await using world = await openWorld({ apps: ['scheduler'], queue: 'redis' });
  const { port } = redisOf(world);
  const running = world.house.app('scheduler');
  expect(await redisCommand(port, 'CONFIG SET maxmemory-policy allkeys-lru')).toBe('+OK');

  const needQueue = [...sendingApps, 'response-exporter'] as const;
  for (const app of needQueue)
    await expect(world.house.start(app)).rejects.toThrow(/allkeys-lru.*maxmemory-policy noeviction/s);

  // One that runs already is taken out of service.
  const ready = async () => (await fetch(`http://127.0.0.1:${running.healthPort}/readyz`)).status;
  await until('the running one is not ready', async () => (await ready()) === 503 || undefined);
  expect(await redisCommand(port, 'CONFIG SET maxmemory-policy noeviction')).toBe('+OK');
  await until('it is ready again', async () => (await ready()) === 200 || undefined);
});
