import { join } from 'node:path';
import { startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { metricOf } from '../support/processes.js';
import { redisCommand } from '../support/redis.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

it('a server slower than lock and lease keeps its mails with one sender, and another client does not wait for it', async () => {
  await using directory = await temporaryDirectory();
  await using relay = await startSmtpInbox({ dir: join(directory.path, 'relay') });
  await using world = await openWorld({
    apps: sendingApps,
    env: {
      SMTP_CONNECTIONS: '2',
      BATCH_SIZE: '5',
      JOB_LOCK_MS: '1000',
      LEASE_MS: '1000',
      SMTP_TRANSPORTS: JSON.stringify({ relay: { url: relay.url, connections: 1 } }),
    },
  });
  await using first = world.house.app('sender-workers');
  const senders = [first, await world.house.start('sender-workers')];
  const client = await addClient(world, 'slow', [{}], { transport: 'relay' });
  const other = await addClient(world, 'quick');
  // Twice as long as the lease: without its renewal the other sender would take the batch.
  relay.behave({ match: /@slow/, delayMs: 2_000 });
  const file = await upload(world, client, rowsFor(client, 10));
  await relay.waitForAccepted(1);
  // Now nothing but the lease keeps the batches where they are: the queue has forgotten their jobs.
  if (world.stack.redis) await redisCommand(world.stack.redis.port, 'FLUSHALL');

  const beside = await untilSent(world, other, await upload(world, other, rowsFor(other, 100)));
  expect(await balanceOf(world, beside)).toEqual({ missing: 0, twice: 0, unknown: 0 });

  const mailings = await untilSent(world, client, file);
  expect(await balanceOf(world, mailings, relay)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  // Nobody took a batch from the other, as a lease that is not renewed would have it.
  for (const sender of senders)
    for (const write of ['lease', 'take_off'])
      expect(await metricOf(sender, `postloop_refused_writes_total{write="${write}"}`)).toBe(0);
});
