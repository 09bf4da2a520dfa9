import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answersLost, balanceOf } from '../support/balance.js';
import { type Link, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

const CONNECTIONS = 2;
const WINDOW = CONNECTIONS * 2;

let world: World;
let proxy: TcpProxy;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps.filter((app) => app !== 'sender-workers') });
  proxy = world.keep(await startTcpProxy(world.stack.postgres.port));
  const url = new URL(world.stack.databaseUrl);
  url.port = String(proxy.port);
  const env = { DATABASE_URL: url.href, SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50' };
  await world.house.start('sender-workers', { env });
});
afterAll(() => world[Symbol.asyncDispose]());

const statements = {
  // Prepared statements: their names are in what the driver sends each time.
  'the claim of a batch': 'send-batch-claim.sql',
  'the record of answers and take-offs': 'delivery-record.sql',
  'the release of a batch': 'UPDATE send_batch SET status = $4',
};

describe.each(Object.entries(statements))('PostgreSQL gone exactly at %s', (name, sql) => {
  const directory = name.replace(/\W+/g, '-');
  const times = 3;

  it.each([
    { when: 'before it heard of it', unknownAtMost: 0, cut: cutQuestion },
    // Whoever was put in flight and nobody knows it: not sent, and called unknown, which is the safe side.
    { when: 'with its answer', unknownAtMost: name.startsWith('the record') ? times * WINDOW : 0, cut: cutAnswer },
  ])('$when: each mail once', async ({ when, unknownAtMost, cut }) => {
    const client = await addClient(world, `${directory}-${when.split(' ')[0]}`);
    const before = proxy.cuts;
    cut(sql, times);
    const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 200)));
    proxy.cut = {};

    expect(proxy.cuts - before).toBe(times);
    const balance = await balanceOf(world, mailings);
    expect(balance).toMatchObject({ missing: 0, twice: 0 });
    expect(balance.unknown).toBeLessThanOrEqual(unknownAtMost);
    expect(await answersLost(world, mailings)).toBe(0);
  });
});

/** The statement never reaches the server. */
function cutQuestion(sql: string, times: number): void {
  let left = times;
  proxy.cut = {
    toServer: (bytes) => {
      if (left === 0 || !bytes.includes(sql)) return undefined;
      left -= 1;
      return 0;
    },
  };
}

/** The server does it, and its answer never comes. */
function cutAnswer(sql: string, times: number): void {
  let left = times;
  const asked = new WeakSet<Link>();
  proxy.cut = {
    toServer: (bytes, link) => {
      if (bytes.includes(sql)) asked.add(link);
      return undefined;
    },
    toClient: (_, link) => {
      if (left === 0 || !asked.has(link)) return undefined;
      left -= 1;
      return 0;
    },
  };
}
