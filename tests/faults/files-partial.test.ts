import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inboxPaths } from '@postloop/contracts';
import { formatRow } from '@postloop/csv-dialect';
import { connectSftp } from '@postloop/sftp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ForeignNames } from '../../apps/sftp-ingest/dist/foreign-names.js';
import { pollClient } from '../../apps/sftp-ingest/dist/poll.js';
import { createContext } from '../../packages/service-kit/dist/index.js';
import { acceptedAddresses, balanceOf } from '../support/balance.js';
import { errorsOf, poll, untilLies, waiting } from '../support/exchange.js';
import {
  addClient,
  nextName,
  openWorld,
  rowsFor,
  sendingApps,
  sftpOf,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from '../support/world.js';

// A customer who ignores the advice to upload under another name and to rename.

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps });
});
afterAll(() => world[Symbol.asyncDispose]());

const pathOf = (client: TestClient, name: string) =>
  join(world.stack.sftpRoot, inboxPaths(client.directory, 'import').inbox, name);

it('an upload that grows between two looks is not taken; when it is whole, every row is mailed once', async () => {
  const client = await addClient(world, 'growing');
  const name = nextName();
  const lines = rowsFor(client, 20).map(formatRow);
  await writeFile(pathOf(client, name), '');
  for (const line of lines) {
    // A part of a row before the first look, the rest of it before the second.
    await appendFile(pathOf(client, name), line.slice(0, 9));
    await lookTwice(client, () => appendFile(pathOf(client, name), line.slice(9)));
    expect(await waiting(world, client)).toEqual([name]);
  }
  await poll(world, client);

  expect(await balanceOf(world, await untilSent(world, client, name))).toEqual({ missing: 0, twice: 0, unknown: 0 });
  expect(await untilImported(world, client, name)).toMatchObject({ rows: 20n });
});

/** A poll of our own: `between` happens after its first look. */
async function lookTwice(client: TestClient, between: () => Promise<void>): Promise<void> {
  const { inbox } = inboxPaths(client.directory, 'import');
  const connect = async () => {
    const session = await connectSftp(sftpOf(world.house.env));
    const list = session.list.bind(session);
    let looks = 0;
    session.list = async (path) => {
      const files = await list(path);
      if (path !== inbox) return files;
      looks += 1;
      if (looks === 1) await between();
      return files;
    };
    return session;
  };
  const { log } = createContext('test', 'fatal');
  const { db, producer } = world;
  await pollClient({ db, producer, log, connect, stillnessMs: 0, foreign: new ForeignNames() }, client.id);
}

it('an upload that broke off in the middle of a row is rejected whole, and mailed once when it comes again', async () => {
  const client = await addClient(world, 'broken-off', [{}], { settings: { onError: { halt: false } } });
  const bytes = Buffer.from(rowsFor(client, 50).map(formatRow).join(''));
  const name = await upload(world, client, bytes.subarray(0, bytes.length - 20));
  expect(await untilImported(world, client, name)).toMatchObject({ status: 'failed' });
  await untilLies(world, client, 'failed', name);
  expect(await errorsOf(world, client, name)).toContain('\n50;');
  expect([...acceptedAddresses(world.stack.inbox)].filter((address) => address.includes('@broken-off'))).toEqual([]);

  const mailings = await untilSent(world, client, await upload(world, client, bytes));
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
});
