import { findRedisServer } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { redisCommand } from '../support/redis.js';
import { redisOf, untilLogged } from '../support/servers.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

it.skipIf(!findRedisServer())(
  'a Redis that takes nothing more holds up a mailing until it has room, and loses none of it',
  async () => {
    await using world = await openWorld({
      apps: sendingApps,
      queue: 'redis',
      env: { BATCH_SIZE: '20', SEND_CONCURRENCY: '1', SMTP_CONNECTIONS: '1' },
    });
    const { port } = redisOf(world);
    const client = await addClient(world, 'redis-full');
    world.stack.inbox.behave({ delayMs: 5 });
    const file = await upload(world, client, rowsFor(client, 200));
    await world.stack.inbox.waitForAccepted(30);

    expect(await redisCommand(port, 'CONFIG SET maxmemory 1')).toBe('+OK');
    await untilLogged(world, 'sender-workers', /OOM/);
    expect(await redisCommand(port, 'CONFIG SET maxmemory 0')).toBe('+OK');

    const mailings = await untilSent(world, client, file);
    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  },
);
