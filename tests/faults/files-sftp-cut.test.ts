import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inboxPaths } from '@postloop/contracts';
import { selectImportReport } from '@postloop/db';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { lay, poll, untilLies } from '../support/exchange.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import {
  addClient,
  nextName,
  openWorld,
  rowsFor,
  runExport,
  sendingApps,
  type TestClient,
  untilSent,
  type World,
} from '../support/world.js';

const ROWS = 600; // some 25 KB

let world: World;
/** One for each, so that the order of connections is known. */
let proxies: Record<'sftp-ingest' | 'importer' | 'response-exporter', TcpProxy>;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps.filter((app) => app !== 'sftp-ingest' && app !== 'importer') });
  const through = async (app: keyof typeof proxies) => {
    const proxy = world.keep(await startTcpProxy(world.stack.sftp.port));
    await world.house.start(app, { env: { SFTP_PORT: String(proxy.port) } });
    return proxy;
  };
  proxies = {
    'sftp-ingest': await through('sftp-ingest'),
    importer: await through('importer'),
    'response-exporter': await through('response-exporter'),
  };
});
afterAll(() => world[Symbol.asyncDispose]());

/** Polls until the file is taken and read: each poll may be cut as well. */
function untilStored(client: TestClient, name: string): Promise<true> {
  return until(`${name} is stored`, async () => {
    await poll(world, client);
    return (await selectImportReport(world.db.pool, client.id, name))?.status === 'started' || undefined;
  });
}

it('SFTP connections cut at byte N while a file is taken and read: every row once', async () => {
  const client = await addClient(world, 'sftp-cut');
  const name = nextName();
  await lay(world, client, name, rowsFor(client, ROWS));
  // In the key exchange, in the looks at the directories; in the first and in a late block of the file.
  cutAtBytes(proxies['sftp-ingest'], 1_000, 3_000);
  cutAtBytes(proxies.importer, 500, 6_000, 25_000);
  await untilStored(client, name);

  expect(proxies['sftp-ingest'].cuts).toBe(2);
  expect(proxies.importer.cuts).toBe(3);
  expect(await selectImportReport(world.db.pool, client.id, name)).toMatchObject({ rows: BigInt(ROWS) });
  expect(await balanceOf(world, await untilSent(world, client, name))).toEqual({ missing: 0, twice: 0, unknown: 0 });
  await untilLies(world, client, 'done', name);
});

it('the rename to processing/ was done and its answer lost: the file is taken up from there', async () => {
  const client = await addClient(world, 'rename-lost');
  const name = nextName();
  await lay(world, client, name, rowsFor(client, 10));
  const target = join(world.stack.sftpRoot, inboxPaths(client.directory, 'import').processing, name);
  const proxy = proxies['sftp-ingest'];
  const before = proxy.cuts;
  // What the server says first after the rename is its answer to the rename.
  proxy.cut = { toClient: () => (proxy.cuts === before && existsSync(target) ? 0 : undefined) };
  await untilStored(client, name);
  proxy.cut = {};

  expect(proxy.cuts).toBe(before + 1);
  expect(await balanceOf(world, await untilSent(world, client, name))).toEqual({ missing: 0, twice: 0, unknown: 0 });
});

it('an export cut at byte N finishes the same run: every recipient is told once', async () => {
  const client = await addClient(world, 'export-cut');
  const name = nextName();
  await lay(world, client, name, rowsFor(client, ROWS));
  await untilStored(client, name);
  await untilSent(world, client, name);
  cutAtBytes(proxies['response-exporter'], 1_500, 8_000, 40_000);
  const first = await runExport(world, client);

  expect(proxies['response-exporter'].cuts).toBe(3);
  expect(Object.keys(first)).toHaveLength(7);
  expect(new Set(first.mailingrecipients.map(({ userId }) => userId)).size).toBe(ROWS);
  expect(first.mailingrecipients).toHaveLength(ROWS);
  expect((await runExport(world, client)).mailingrecipients).toEqual([]);
});

/** The next connection that gets so far ends exactly after so many bytes in one direction, then one at the next place, … */
function cutAtBytes(proxy: TcpProxy, ...places: number[]): void {
  const at = (passed: number, bytes: Buffer): number | undefined => {
    const [place] = places;
    if (place === undefined || passed + bytes.length <= place) return undefined;
    places.shift();
    return Math.max(0, place - passed);
  };
  proxy.cut = {
    toServer: (bytes, link) => at(link.toServer, bytes),
    toClient: (bytes, link) => at(link.toClient, bytes),
  };
}
