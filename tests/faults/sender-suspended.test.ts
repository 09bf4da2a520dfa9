import { join } from 'node:path';
import { type AppProcess, freePort, startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { ended, metricOf, untilStopped } from '../support/processes.js';
import { until } from '../support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  sendingApps,
  type TestClient,
  untilSent,
  upload,
  type World,
} from '../support/world.js';

// SIGSTOP while it sends, until another sender has taken its batches and finished the mailing; then SIGCONT.

const CONNECTIONS = 4;
const WINDOW = CONNECTIONS * 2;

let world: World;
let relayPort: number;
beforeAll(async () => {
  relayPort = await freePort();
  world = await openWorld({
    apps: sendingApps,
    env: {
      SMTP_CONNECTIONS: String(CONNECTIONS),
      BATCH_SIZE: '50',
      SMTP_TRANSPORTS: JSON.stringify({ relay: { url: `smtp://127.0.0.1:${relayPort}`, connections: CONNECTIONS } }),
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** @returns the sender that stands still, and the mailings that the other one finished */
async function suspendAt(killPoint: string, client: TestClient): Promise<[AppProcess, bigint[]]> {
  await world.house.app('sender-workers').stop();
  const suspended = await world.house.start('sender-workers', { killPoint: `${killPoint}:SIGSTOP` });
  const file = await upload(world, client, rowsFor(client, 300));
  await untilStopped(suspended);
  await world.house.start('sender-workers');
  return [suspended, await untilSent(world, client, file)];
}

const refusedBy = (app: AppProcess, write: string) => metricOf(app, `postloop_refused_writes_total{write="${write}"}`);

it('just before it takes mails off: what another sender holds by then is refused to it', async () => {
  const client = await addClient(world, 'before-take-off');
  await world.house.app('sender-workers').stop();
  const suspended = await world.house.start('sender-workers', { killPoint: 'sender.before-take-off:10:SIGSTOP' });
  await using _ = ended(suspended);
  const file = await upload(world, client, rowsFor(client, 200));
  await untilStopped(suspended);
  const stale = await claimsOf(client);
  expect(stale.length).toBeGreaterThan(0);

  // Slow, so that the mailing is still going on when the first sender wakes up.
  world.stack.inbox.behave({ match: /@before-take-off/, delayMs: 100 });
  await world.house.start('sender-workers');
  await until('another sender has taken its batches', async () => {
    const now = await claimsOf(client);
    return !now.some((attempt) => stale.includes(attempt)) || undefined;
  });
  suspended.kill('SIGCONT');
  await until('the take-off is refused', async () => (await refusedBy(suspended, 'take_off')) || undefined);
  await until('the lease is seen to be lost', async () => (await refusedBy(suspended, 'lease')) || undefined);

  world.stack.inbox.behaveNormally();
  const balance = await balanceOf(world, await untilSent(world, client, file));
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeLessThanOrEqual(WINDOW);
});

/** The attempts that hold the client's batches, or last did. */
async function claimsOf({ id }: TestClient): Promise<bigint[]> {
  const { rows } = await world.db.pool.query<{ attempt: bigint }>(
    `SELECT b.attempt_id AS attempt FROM send_batch b JOIN mailing m ON m.id = b.mailing_id
      WHERE m.client_id = $1 AND b.status = 'claimed'`,
    [id],
  );
  return rows.map(({ attempt }) => attempt);
}

it('with mails on the wire: the answers that it finds are recorded, late, and nothing goes out twice', async () => {
  const client = await addClient(world, 'on-the-wire');
  const [suspended, mailings] = await suspendAt('sender.after-dot:20', client);
  await using _ = ended(suspended);
  const { unknown, twice } = await balanceOf(world, mailings);
  expect(twice).toBe(0);
  expect(unknown).toBeGreaterThan(0);
  expect(unknown).toBeLessThanOrEqual(WINDOW);

  suspended.kill('SIGCONT');
  await until('nothing is unknown', async () => (await balanceOf(world, mailings)).unknown === 0 || undefined);
  await suspended.stop();
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
});

it('with mails taken off and its connections cut meanwhile: they were not handed over, and stay unknown', async () => {
  await using directory = await temporaryDirectory();
  const dir = join(directory.path, 'relay');
  const client = await addClient(world, 'cut', [{}], { transport: 'relay' });
  const before = await startSmtpInbox({ dir, port: relayPort });
  await world.house.app('sender-workers').stop();
  const suspended = await world.house.start('sender-workers', { killPoint: 'sender.after-take-off:3:SIGSTOP' });
  await using _ = ended(suspended);
  const file = await upload(world, client, rowsFor(client, 300));
  await untilStopped(suspended);
  await before.stop();
  await using relay = await startSmtpInbox({ dir, port: relayPort });
  await world.house.start('sender-workers');
  const mailings = await untilSent(world, client, file);
  const { unknown } = await balanceOf(world, mailings, relay);
  expect(unknown).toBeGreaterThan(0);

  suspended.kill('SIGCONT');
  await until('it has heard of the loss', async () => (await metricOf(suspended, LOST)) || undefined);
  await suspended.stop();
  // A mailing that was told as finished does not open again by itself.
  const after = await balanceOf(world, mailings, relay);
  expect(after).toMatchObject({ missing: 0, twice: 0 });
  expect(after.unknown).toBeLessThanOrEqual(WINDOW);
});

it('in the middle of a transaction: PostgreSQL takes the mailing back from it, and another sender finishes', async () => {
  const client = await addClient(world, 'in-transaction');
  const [suspended, mailings] = await suspendAt('sender.before-release:1', client);
  await using _ = ended(suspended);
  suspended.kill('SIGCONT');
  await suspended.stop();
  const balance = await balanceOf(world, mailings);
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeLessThanOrEqual(WINDOW);
});

const LOST = 'postloop_mails_total{status="deferred"}';
