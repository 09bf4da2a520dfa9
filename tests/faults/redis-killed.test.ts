import { findRedisServer } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { killed, redisAgain, redisOf, untilLogged } from '../support/servers.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

it.skipIf(!findRedisServer())(
  'a Redis that is killed in the middle of a mailing and comes back: time is lost, nothing else',
  async () => {
    await using world = await openWorld({
      apps: sendingApps,
      queue: 'redis',
      env: { BATCH_SIZE: '20', SEND_CONCURRENCY: '1', SMTP_CONNECTIONS: '1' },
    });
    const client = await addClient(world, 'redis-killed');
    world.stack.inbox.behave({ delayMs: 5 });
    const file = await upload(world, client, rowsFor(client, 200));
    await world.stack.inbox.waitForAccepted(30);

    await killed(redisOf(world));
    await untilLogged(world, 'sender-workers', /ECONNREFUSED/);
    await redisAgain(world);

    const mailings = await untilSent(world, client, file);
    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  },
);
