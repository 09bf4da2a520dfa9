import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ClientFacts, deployMigrations, orderMailing, selectMailingProgress, upsertClient } from '@postloop/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDueSchedules } from '../../apps/scheduler/dist/due-schedules.js';
import { createMetrics } from '../../apps/scheduler/dist/metrics.js';
import { openJobQueue } from '../../packages/queue/dist/connection.js';
import { createContext } from '../../packages/service-kit/dist/index.js';
import { acceptedAddresses, balanceOf } from '../support/balance.js';
import { runCli } from '../support/cli.js';
import { lay, untilLies } from '../support/exchange.js';
import { untilLogged } from '../support/servers.js';
import { until } from '../support/until.js';
import {
  addClient,
  nextName,
  openWorld,
  queueOf,
  rowsFor,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from '../support/world.js';

const CONNECTIONS = 2;
/** What is in flight when an order is given is still handed over. */
const WINDOW = CONNECTIONS * 2;
const ONCE = { missing: 0, twice: 0, unknown: 0 };

let world: World;
beforeAll(async () => {
  world = await openWorld({
    apps: sendingApps,
    env: { SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50', SEND_CONCURRENCY: '2' },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** A mailing of 300 of which some are sent; the server takes its time until `hurry`. */
async function halfSent(name: string): Promise<{ client: TestClient; file: string; mailing: bigint }> {
  const client = await addClient(world, name);
  world.stack.inbox.behave({ delayMs: 50 });
  const before = world.stack.inbox.counts.accepted;
  const file = await upload(world, client, rowsFor(client, 300));
  const { id } = await untilImported(world, client, file);
  await world.stack.inbox.waitForAccepted(before + 60);
  const [mailing] = await selectMailingProgress(world.db.pool, id);
  return { client, file, mailing: mailing?.id ?? 0n };
}

const hurry = () => world.stack.inbox.behaveNormally();

const acceptedFor = (client: TestClient) =>
  [...acceptedAddresses(world.stack.inbox)].filter((address) => address.endsWith(`@${client.directory}.example`))
    .length;

async function order(what: string, mailing: bigint): Promise<void> {
  const { code, stderr } = await runCli(['mailing', what, String(mailing)], world.house.env);
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

/** No sender has anything of it any more. */
function untilAtRest(mailing: bigint): Promise<true> {
  return until('the mailing is at rest', async () => {
    const { rows } = await world.db.pool.query(
      `SELECT 1 FROM delivery WHERE mailing_id = $1 AND status = 'in_flight'
       UNION ALL SELECT 1 FROM send_batch WHERE mailing_id = $1 AND status = 'claimed'`,
      [mailing],
    );
    return rows.length === 0 || undefined;
  });
}

describe('people', () => {
  it('pause and resume in the middle: at rest nothing more goes out, and in the end each mail once', async () => {
    const { client, file, mailing } = await halfSent('paused');
    await order('pause', mailing);
    const ordered = acceptedFor(client);
    await untilAtRest(mailing);
    hurry();
    const atRest = acceptedFor(client);
    expect(atRest - ordered).toBeLessThanOrEqual(WINDOW);

    const other = await addClient(world, 'not-paused');
    const others = await untilSent(world, other, await upload(world, other, rowsFor(other, 50)));
    expect(await balanceOf(world, others)).toEqual(ONCE);
    expect(acceptedFor(client)).toBe(atRest);

    await order('resume', mailing);
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual(ONCE);
  });

  it('pause and resume again and again, faster than batches end: each mail once', async () => {
    const { client, file, mailing } = await halfSent('wavering');
    for (let i = 0; i < 10; i += 1) {
      await orderMailing(world.db, mailing, 'pause');
      const resumed = await orderMailing(world.db, mailing, 'resume');
      await world.producer.enqueueAll(
        'mailSend',
        (resumed?.batches ?? []).map((batch) => ({ v: 1, ...batch })),
      );
    }
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual(ONCE);
  });

  it('cancel in the middle: every recipient is sent or cancelled, and who is called sent has the mail', async () => {
    const { client, mailing } = await halfSent('cancelled');
    await order('cancel', mailing);
    const ordered = acceptedFor(client);
    await untilAtRest(mailing);
    hurry();
    const { rows } = await world.db.pool.query<{ status: string; count: bigint }>(
      `SELECT coalesce(d.status::text, 'cancelled') AS status, count(*) AS count
         FROM mailing_recipient r LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
        WHERE r.mailing_id = $1 GROUP BY 1 ORDER BY 1`,
      [mailing],
    );
    const sent = acceptedFor(client);
    expect(sent - ordered).toBeLessThanOrEqual(WINDOW);
    expect(rows).toEqual([
      { status: 'cancelled', count: 300n - BigInt(sent) },
      { status: 'sent', count: BigInt(sent) },
    ]);
  });
});

describe('time', () => {
  // The scheduler of the house has nothing due here: this one has a clock that we set.
  let now = new Date();
  const scheduled = () =>
    runDueSchedules({
      db: world.db,
      producer: world.producer,
      clock: { now: () => now },
      log: createContext('test', 'fatal').log,
      metrics: createMetrics(createContext('test', 'fatal').metrics),
      complained: new Set(),
    });

  /** A client that is polled by this cron, and by nothing else. */
  async function clientPolled(name: string, cron: string, facts: Partial<ClientFacts> = {}): Promise<TestClient> {
    await world.house.app('scheduler').stop();
    await world.db.pool.query('DELETE FROM schedule');
    const client = await addClient(world, name);
    const never = '0 0 1 1 *';
    await upsertClient(
      world.db,
      { name, directory: name, timeZone: 'UTC', ...facts },
      { inbox_poll: cron, response_export: never },
    );
    await scheduled(); // sets when it is due first
    return client;
  }

  async function mailed(client: TestClient, name: string): Promise<void> {
    expect(await balanceOf(world, await untilSent(world, client, name))).toEqual(ONCE);
    await untilLies(world, client, 'done', name);
  }

  it('a clock that goes an hour forward and back again: files are taken once, and polls go on at once', async () => {
    now = new Date('2027-07-01T10:05:00Z');
    const client = await clientPolled('clock', '*/10 * * * *');
    const [first, second] = [nextName(), nextName()];

    await lay(world, client, first, rowsFor(client, 10));
    now = new Date('2027-07-01T11:10:00Z');
    expect(await scheduled()).toBe(1);
    await mailed(client, first);

    await lay(world, client, second, rowsFor(client, 10).slice(1));
    now = new Date('2027-07-01T10:11:00Z');
    await scheduled();
    now = new Date('2027-07-01T10:20:00Z');
    expect(await scheduled()).toBe(1);
    await mailed(client, second);
  });

  it.each([
    ['forward', '2027-03-27T12:00:00Z', '2027-03-28T12:00:00Z'],
    ['back', '2027-10-30T12:00:00Z', '2027-10-31T12:00:00Z'],
  ])('a day on which the clocks of Berlin go %s has one poll at 02:30', async (which, from, to) => {
    now = new Date(from);
    const client = await clientPolled(`dst-${which}`, '30 2 * * *', { timeZone: 'Europe/Berlin' });
    const name = nextName();
    await lay(world, client, name, rowsFor(client, 10));
    let ran = 0;
    for (; now < new Date(to); now = new Date(now.getTime() + 600_000)) ran += await scheduled();
    expect(ran).toBe(1);
    await mailed(client, name);
  });
});

const NEXT_RELEASE = `
  ALTER TABLE client ADD COLUMN of_the_next_release text NOT NULL DEFAULT 'x';
  ALTER TABLE mailing ADD COLUMN of_the_next_release int;
  ALTER TABLE mailing_recipient ADD COLUMN of_the_next_release text;
  ALTER TABLE send_batch ADD COLUMN of_the_next_release timestamptz DEFAULT now();
  ALTER TABLE delivery ADD COLUMN of_the_next_release jsonb;
  CREATE INDEX of_the_next_release ON delivery (attempt_id)`;

describe('an upgrade with mail in flight', () => {
  it('old workers on a new schema, then new workers one by one: each mail once', async () => {
    await world.house.start('scheduler');
    const { client, file } = await halfSent('upgraded');
    // What a release may do to tables that are in use: it adds.
    const release = join(world.dir, 'next-release', '29991231000000_next');
    await mkdir(release, { recursive: true });
    await writeFile(join(release, 'migration.sql'), NEXT_RELEASE);
    expect(await deployMigrations(world.stack.databaseUrl, dirname(release))).toHaveLength(1);
    hurry();
    const next = await upload(world, client, rowsFor(client, 30).slice(1));
    for (const app of sendingApps) {
      const old = world.house.app(app);
      await world.house.start(app);
      await old.stop();
    }

    const mailings = [...(await untilSent(world, client, file)), ...(await untilSent(world, client, next))];
    expect(await balanceOf(world, mailings)).toEqual(ONCE);
  });

  it('new workers find jobs of a form that they do not know: said, and done all the same', async () => {
    await world.house.app('sender-workers').stop();
    const client = await addClient(world, 'old-jobs');
    const file = await upload(world, client, rowsFor(client, 100));
    const { id } = await untilImported(world, client, file);
    const [mailing] = await selectMailingProgress(world.db.pool, id);
    const queue = openJobQueue(queueOf(world.stack), 'mail-send');
    const jobs = (await queue.getJobs()).filter(({ data }) => data.mailingId === String(mailing?.id));
    expect(jobs).toHaveLength(2);
    for (const job of jobs) await job.updateData({ v: 0, mailing: job.data.mailingId, part: job.data.batch });
    await queue.close();

    await world.house.start('sender-workers');
    await untilLogged(world, 'sender-workers', /the payload is not one of mail-send/);
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual(ONCE);
  });
});
