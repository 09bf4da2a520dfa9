import { orderMailing, selectMailingStatusCounts } from '@postloop/db';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  sendingApps,
  untilImported,
  upload,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({
    apps: [...sendingApps, 'response-exporter'],
    env: { SMTP_CONNECTIONS: '2', BATCH_SIZE: '50' },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

it('a sender killed with mails in flight of a mailing that is then cancelled leaves nobody in flight', async () => {
  const client = await addClient(world, 'cancelled-in-flight');
  await world.house.app('sender-workers').stop();
  const doomed = await world.house.start('sender-workers', { killPoint: 'sender.after-dot:20' });
  const file = await upload(world, client, rowsFor(client, 300));
  expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
  const { id: importId } = await untilImported(world, client, file);
  const { rows } = await world.db.pool.query<{ id: bigint }>('SELECT id FROM mailing WHERE import_id = $1', [importId]);
  const mailing = rows[0]?.id ?? 0n;
  const before = await selectMailingStatusCounts(world.db.pool, mailing);
  expect(before.in_flight).toBeGreaterThan(0n);

  await orderMailing(world.db, mailing, 'cancel');
  const { mailingrecipients } = await runExport(world, client);
  const told = (status: string) => mailingrecipients.filter(({ sendingStatus }) => sendingStatus === status).length;
  // Nobody knows whether those in flight were sent: to call them not sent could be a lie.
  expect(told('sending')).toBe(Number(before.in_flight));
  expect(told('sent')).toBe(Number(before.sent ?? 0n));

  const after = await until('every recipient is final', async () => {
    const counts = await selectMailingStatusCounts(world.db.pool, mailing);
    return counts.in_flight === undefined ? counts : undefined;
  });
  expect(after.unknown).toBe(before.in_flight);
  expect((after.sent ?? 0n) + (after.unknown ?? 0n) + (after.cancelled ?? 0n)).toBe(300n);
  await world.house.start('sender-workers');
});
