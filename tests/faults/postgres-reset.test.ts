import { expect, it } from 'vitest';
import { answersLost, balanceOf } from '../support/balance.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

const CONNECTIONS = 2;
const RESETS = 5;

it('all connections to PostgreSQL reset, five times while a file becomes mails: each mail once', async () => {
  await using world = await openWorld({ apps: [] });
  const proxy = world.keep(await startTcpProxy(world.stack.postgres.port));
  const url = new URL(world.stack.databaseUrl);
  url.port = String(proxy.port);
  const env = { DATABASE_URL: url.href, SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50' };
  await Promise.all(sendingApps.map((app) => world.house.start(app, { env })));

  const client = await addClient(world, 'postgres-reset');
  world.stack.inbox.behave({ delayMs: 5 });
  const file = await upload(world, client, rowsFor(client, 300));
  for (let reset = 0; reset < RESETS; reset += 1) {
    await world.stack.inbox.waitForAccepted(reset * 50 + 1);
    expect(proxy.resetAll()).toBeGreaterThan(0);
  }

  const mailings = await untilSent(world, client, file);
  const balance = await balanceOf(world, mailings);
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeLessThanOrEqual(RESETS * CONNECTIONS * 2);
  expect(await answersLost(world, mailings)).toBe(0);
});
