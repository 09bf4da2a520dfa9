import { afterAll, beforeAll, expect, it } from 'vitest';
import { mailTo } from '../support/mail.js';
import { until } from '../support/until.js';
import { addClient, openWorld, rowsFor, runExport, untilSent, upload, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

it('an event that was answered survives a gateway that is killed right after its answer', async () => {
  const client = await addClient(world, 'killed');
  await untilSent(world, client, await upload(world, client, rowsFor(client, 3)));
  const mails = await Promise.all([0, 1, 2].map((i) => mailTo(world.stack.inbox, `p${i}@killed.example`)));
  await world.house.app('tracking-gateway').stop();
  const doomed = await world.house.start('tracking-gateway', { killPoint: 'gateway.after-answer:3' });

  const statuses = [];
  for (const mail of mails) statuses.push((await fetch(mail.pixel)).status);
  expect(statuses).toEqual([200, 200, 200]);
  expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
  await world.house.start('tracking-gateway');

  await until('the opens are recorded', async () => {
    const { rows } = await world.db.pool.query('SELECT 1 FROM event WHERE client_id = $1', [client.id]);
    return rows.length >= 3 || undefined;
  });
  const exported = await runExport(world, client);
  expect(exported.opens.map((row) => row.userId).sort()).toEqual([
    'p0@killed.example',
    'p1@killed.example',
    'p2@killed.example',
  ]);
});
