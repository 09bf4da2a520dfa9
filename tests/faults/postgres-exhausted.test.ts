import { expect, it } from 'vitest';
import { answersLost, balanceOf } from '../support/balance.js';
import { postgresAgain, untilLogged } from '../support/servers.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

const CONNECTIONS = 2;

const env = { SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50', SEND_CONCURRENCY: '4' };

it('a PostgreSQL with fewer connections than the apps ask for is slow; with enough again, the mailing ends', async () => {
  await using world = await openWorld({ apps: sendingApps, env });
  const client = await addClient(world, 'server-exhausted');
  world.stack.inbox.behave({ delayMs: 5 });
  const file = await upload(world, client, rowsFor(client, 200));
  await world.stack.inbox.waitForAccepted(60);

  await world.stack.postgres.stop();
  const small = await postgresAgain(world, { max_connections: '4' });
  await untilLogged(world, sendingApps, /too many clients/);
  await small.stop();
  await postgresAgain(world);

  const mailings = await untilSent(world, client, file);
  const balance = await balanceOf(world, mailings);
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeLessThanOrEqual(CONNECTIONS * 2);
  expect(await answersLost(world, mailings)).toBe(0);
});

it('a worker whose pool is one connection is slow, not stuck', async () => {
  await using world = await openWorld({ apps: sendingApps.filter((app) => app !== 'sender-workers'), env });
  await world.house.start('sender-workers', { env: { DATABASE_POOL: '1' } });
  const client = await addClient(world, 'pool-exhausted');
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 200)));
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
});
