import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findRedisServer } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { killed, redisAgain, redisOf } from '../support/servers.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

it.skipIf(!findRedisServer())(
  'a Redis that is restored from an old copy wakes people for nothing, and forgets what the reconciler knows',
  async () => {
    await using world = await openWorld({
      apps: sendingApps,
      queue: 'redis',
      env: { BATCH_SIZE: '10', SEND_CONCURRENCY: '1', SMTP_CONNECTIONS: '1' },
    });
    const files = join(world.dir, 'redis', 'appendonlydir');
    const copy = join(world.dir, 'redis-an-hour-ago');
    world.stack.inbox.behave({ delayMs: 5 });

    // The copy has jobs of a mailing that is over by the time that it comes back …
    const earlier = await addClient(world, 'before-the-copy');
    const earlierFile = await upload(world, earlier, rowsFor(earlier, 120));
    await world.stack.inbox.waitForAccepted(30);
    await cp(files, copy, { recursive: true });
    const over = await untilSent(world, earlier, earlierFile);

    // … and none of one that is being sent.
    const later = await addClient(world, 'after-the-copy');
    const laterFile = await upload(world, later, rowsFor(later, 120));
    await world.stack.inbox.waitForAccepted(150);
    await killed(redisOf(world));
    await rm(files, { recursive: true });
    await cp(copy, files, { recursive: true });
    await redisAgain(world);

    const running = await untilSent(world, later, laterFile);
    expect(await balanceOf(world, [...over, ...running])).toEqual({ missing: 0, twice: 0, unknown: 0 });
  },
);
