import { afterAll, beforeAll, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { ended, metricOf, untilStopped } from '../support/processes.js';
import { until } from '../support/until.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({
    apps: sendingApps,
    env: { SMTP_CONNECTIONS: '4', BATCH_SIZE: '50', SEND_CONCURRENCY: '2', JOB_LOCK_MS: '1000', LEASE_MS: '600000' },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

it('a sender whose event loop stands still longer than the job lock keeps its batches: the lease decides, not the queue', async () => {
  const client = await addClient(world, 'blocked');
  await world.house.app('sender-workers').stop();
  const blocked = await world.house.start('sender-workers', { killPoint: 'sender.after-dot:20:SIGSTOP' });
  await using _ = ended(blocked);
  const file = await upload(world, client, rowsFor(client, 300));
  await untilStopped(blocked);

  // Another one gets its jobs, finds their batches held and sends all the others.
  const other = await world.house.start('sender-workers');
  await until('the queue has given all jobs to the other sender', async () => {
    const { waiting, active, delayed } = (await world.producer.depths()).mailSend;
    return waiting + active + delayed === 0 || undefined;
  });
  const held = await batches('claimed');
  expect(held).toBeGreaterThan(0);
  expect(await batches('done')).toBe(6 - held);

  blocked.kill('SIGCONT');
  expect(await balanceOf(world, await untilSent(world, client, file))).toEqual({ missing: 0, twice: 0, unknown: 0 });
  expect(await metricOf(other, 'postloop_mails_total{status="sent"}')).toBe((6 - held) * 50);
  expect(await metricOf(blocked, 'postloop_mails_total{status="sent"}')).toBe(held * 50);
});

async function batches(status: string): Promise<number> {
  const { rowCount } = await world.db.pool.query('SELECT 1 FROM send_batch WHERE status = $1', [status]);
  return rowCount ?? 0;
}
