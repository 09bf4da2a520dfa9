import { findRedisServer } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { redisCommand } from '../support/redis.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

// Without a Redis there is nothing to flush; `npm test` says so when none could be had.
it.skipIf(!findRedisServer())(
  'a Redis that is flushed in the middle of a mailing costs time and nothing else',
  async () => {
    await using world = await openWorld({
      apps: sendingApps,
      queue: 'redis',
      env: { BATCH_SIZE: '20', SEND_CONCURRENCY: '1', SMTP_CONNECTIONS: '1' },
    });
    const client = await addClient(world, 'flushed');
    world.stack.inbox.behave({ delayMs: 5 });
    const file = await upload(world, client, rowsFor(client, 200));
    await world.stack.inbox.waitForAccepted(30);

    expect(await redisCommand(world.stack.redis?.port ?? 0, 'FLUSHALL')).toBe('+OK');

    const mailings = await untilSent(world, client, file);
    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  },
);
