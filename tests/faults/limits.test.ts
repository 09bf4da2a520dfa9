import { orderMailing } from '@postloop/db';
import type { AppProcess } from '@postloop/local-stack';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { metricOf } from '../support/processes.js';
import { until } from '../support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  sendingApps,
  untilImported,
  untilSent,
  upload,
  type World,
} from '../support/world.js';

// Two senders, eight places each, that keep limits together.

const DOMAIN_LIMITS = { 'narrow.example': { connections: 2 }, 'both.example': { connections: 5 } };

let world: World;
let first: AppProcess;
let second: AppProcess;
beforeAll(async () => {
  world = await openWorld({
    apps: sendingApps,
    env: {
      SMTP_CONNECTIONS: '4',
      BATCH_SIZE: '20',
      SEND_CONCURRENCY: '2',
      DOMAIN_LIMITS: JSON.stringify(DOMAIN_LIMITS),
    },
  });
  first = world.house.app('sender-workers');
  second = await world.house.start('sender-workers');
});
afterAll(async () => {
  await first?.stop();
  await world?.[Symbol.asyncDispose]();
});
beforeEach(() => world.stack.inbox.behaveNormally());

/** The most messages to the domain that the inbox had to answer at the same time. */
function mostAtOnce(domain: string): number {
  let open = 0;
  let most = 0;
  for (const { type, envelopeTo } of world.stack.inbox.journal()) {
    if (!envelopeTo.some((address) => address.endsWith(`@${domain}`))) continue;
    open += type === 'dot' ? 1 : -1;
    most = Math.max(most, open);
  }
  return most;
}

it.each([
  ['a client', 'few', { sending: { connections: 3 } }, 3],
  ['a domain', 'narrow', {}, 2],
  ['a client and a domain together', 'both', { sending: { connections: 4 } }, 4],
])(
  'the places of %s are shared: never more at the inbox than the limit, and all mails get there',
  async (_what, name, settings, limit) => {
    const client = await addClient(world, name, [{}], { settings });
    world.stack.inbox.behave({ match: new RegExp(`@${name}`), delayMs: 30 });
    const before = await Promise.all([first, second].map(sent));
    const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 160)));

    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
    expect(mostAtOnce(`${name}.example`)).toBeLessThanOrEqual(limit);
    // Otherwise there was nothing to share.
    const after = await Promise.all([first, second].map(sent));
    expect(after.map((count, i) => count > (before[i] ?? 0))).toEqual([true, true]);
  },
);

it('a sender that is killed gives its places back when their lease is over', async () => {
  const client = await addClient(world, 'bereft', [{}], { settings: { sending: { connections: 1 } } });
  world.stack.inbox.behave({ match: /@bereft/, delayMs: 30 });
  const file = await upload(world, client, rowsFor(client, 60));
  await until('one of the senders has the place', async () => {
    const { rowCount } = await world.db.pool.query(
      `SELECT 1 FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.client_id = $1 AND d.status = 'sent'`,
      [client.id],
    );
    return (rowCount ?? 0) > 0 || undefined;
  });
  second.kill('SIGKILL');
  await second.exited;
  const mailings = await untilSent(world, client, file);
  const balance = await balanceOf(world, mailings);
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeLessThanOrEqual(1);
  expect(mostAtOnce('bereft.example')).toBeLessThanOrEqual(1);
  second = await world.house.start('sender-workers');
});

it('a client that is slowed down does not hold up another', async () => {
  const slow = await addClient(world, 'slowed', [{}], {
    settings: { sending: { mailsPerSecond: 0.1, connections: 1 } },
  });
  const file = await upload(world, slow, rowsFor(slow, 200));
  const { id: importId } = await untilImported(world, slow, file);
  const mailing = await until('the slow one is at it', async () => {
    const { rows } = await world.db.pool.query<{ id: bigint }>(
      `SELECT DISTINCT m.id FROM mailing m JOIN delivery d ON d.mailing_id = m.id WHERE m.import_id = $1`,
      [importId],
    );
    return rows[0]?.id;
  });

  const other = await addClient(world, 'free');
  const mailings = await untilSent(world, other, await upload(world, other, rowsFor(other, 200)));
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  await orderMailing(world.db, mailing, 'cancel');
});

const sent = (app: AppProcess) => metricOf(app, 'postloop_mails_total{status="sent"}');
