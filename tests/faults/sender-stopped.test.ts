import { join } from 'node:path';
import { freePort, startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptedAddresses, balanceOf } from '../support/balance.js';
import { until } from '../support/until.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

let world: World;
let relayPort: number;
beforeAll(async () => {
  relayPort = await freePort();
  world = await openWorld({
    apps: sendingApps,
    env: {
      SMTP_CONNECTIONS: '4',
      BATCH_SIZE: '50',
      SEND_CONCURRENCY: '6',
      SMTP_TRANSPORTS: JSON.stringify({ relay: { url: `smtp://127.0.0.1:${relayPort}`, connections: 2 } }),
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

async function statusesOf(domain: string): Promise<Map<string, number>> {
  const { rows } = await world.db.pool.query<{ status: string; count: number }>(
    `SELECT coalesce(d.status::text, r.status::text) AS status, count(*)::int AS count
       FROM mailing_recipient r LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE r.email LIKE '%@' || $1 GROUP BY 1`,
    [domain],
  );
  return new Map(rows.map(({ status, count }) => [status, count]));
}

async function mailingStatus(clientId: bigint): Promise<string | undefined> {
  const { rows } = await world.db.pool.query('SELECT status FROM mailing WHERE client_id = $1', [clientId]);
  return rows[0]?.status;
}

it('a sender that is asked to stop in the middle finishes what is in flight and gives the rest back', async () => {
  const client = await addClient(world, 'stopped');
  world.stack.inbox.behave({ match: /@stopped/, delayMs: 20 });
  const file = await upload(world, client, rowsFor(client, 300));
  await world.stack.inbox.waitForAccepted(40);
  expect(await world.house.app('sender-workers').stop()).toEqual({ code: 0, signal: null });

  const accepted = acceptedAddresses(world.stack.inbox).size;
  const left = await statusesOf('stopped.example');
  expect(Object.fromEntries(left)).toEqual({ sent: accepted, queued: 300 - accepted });
  expect(accepted).toBeLessThan(300);
  expect(await mailingStatus(client.id)).toBe('sending');

  world.stack.inbox.behaveNormally();
  await world.house.start('sender-workers');
  expect(await balanceOf(world, await untilSent(world, client, file))).toEqual({ missing: 0, twice: 0, unknown: 0 });
});

it('while the server is away nothing is in flight, and a sender stops without waiting for it', async () => {
  await using directory = await temporaryDirectory();
  const dir = join(directory.path, 'relay');
  const client = await addClient(world, 'away', [{}], { transport: 'relay' });
  const before = await startSmtpInbox({ dir, port: relayPort });
  const first = await upload(world, client, rowsFor(client, 10));
  await untilSent(world, client, first);
  await before.stop();

  // The connections were open, then the server went: the sender is to notice before it takes mails off.
  const file = await upload(world, client, rowsFor(client, 100));
  await until('a sender holds the batches', async () => {
    const { rows } = await world.db.pool.query(
      `SELECT 1 FROM send_batch b JOIN mailing m ON m.id = b.mailing_id WHERE m.client_id = $1 AND b.status = 'claimed'`,
      [client.id],
    );
    return rows.length === 2 || undefined;
  });
  expect(await world.house.app('sender-workers').stop()).toEqual({ code: 0, signal: null });
  expect(Object.fromEntries(await statusesOf('away.example'))).toEqual({ sent: 10, queued: 100 });

  await using relay = await startSmtpInbox({ dir, port: relayPort });
  await world.house.start('sender-workers');
  const mailings = await untilSent(world, client, file);
  expect(await balanceOf(world, mailings, relay)).toEqual({ missing: 0, twice: 0, unknown: 0 });
});
