import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logsPath } from '@postloop/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps, env: { JOURNAL_INTERVAL_MS: '100', SWEEP_INTERVAL_MS: '100' } });
});
afterAll(() => world[Symbol.asyncDispose]());

const read = async (client: TestClient, name: string): Promise<string> => {
  const path = `${logsPath(client.directory)}/${name}`;
  return (await world.sftp.stat(path)) ? (await world.sftp.readAll(path, 1 << 20)).toString() : '';
};

/** Reads the log again and again until it says that. */
const untilLogged = (client: TestClient, name: string, what: string): Promise<string> =>
  until(`${name} says ${what}`, async () => {
    const text = await read(client, name);
    return text.includes(what) ? text : undefined;
  });

/** Of the newest day. */
async function untilDayLogged(client: TestClient, what: string): Promise<string> {
  const days = (await world.sftp.list(logsPath(client.directory)))
    .map(({ name }) => name)
    .filter((name) => /^\d{8}_/.test(name));
  return untilLogged(client, days.sort().at(-1) ?? '', what);
}

it('each file has its log and each day has one of all files, over SFTP', async () => {
  const client = await addClient(world, 'logged');
  const name = await upload(world, client, [...rowsFor(client, 3), ...rowsFor(client, 1)]);
  const [mailing] = await untilSent(world, client, name);
  const text = await untilLogged(client, `${name}.log`, 'finished; 3 sent');
  expect(text).toMatch(
    /taken from import\/, \d+ bytes\n.*imported; 4 rows: 3 queued, 0 suppressed, 0 invalid, 1 duplicate\n/,
  );
  expect(text).toContain('\n  line 4: duplicate\n');
  const failed = await upload(world, client, Buffer.from('broken\n'));
  await untilImported(world, client, failed);
  await untilLogged(client, `${failed}.log`, 'failed, nothing was stored; line 1');
  const day = await untilDayLogged(client, failed);
  expect(day).toContain(`mailing ${mailing} "source 0" of import/${name}: finished; 3 sent`);
});

it('killed between two log files, the next scheduler makes them', async () => {
  const client = await addClient(world, 'killed');
  await world.house.app('scheduler').stop();
  const killed = await world.house.start('scheduler', { killPoint: 'scheduler.between-logs' });
  // All that there is to tell of it: no later news would make the logs anew.
  const name = await upload(world, client, Buffer.from('broken\n'));
  expect((await killed.exited).signal).toBe('SIGKILL');
  expect(await read(client, `${name}.log`)).toBe('');
  await world.house.start('scheduler');
  await untilLogged(client, `${name}.log`, 'failed, nothing was stored');
});

it('a log whose 30 days are over goes; what is not ours stays', async () => {
  const folder = join(world.stack.sftpRoot, 'aged', 'logs');
  mkdirSync(folder, { recursive: true });
  const old = new Date(Date.now() - 31 * 86_400_000);
  for (const name of ['20260101_postloop.log', 'notes.txt']) {
    writeFileSync(join(folder, name), 'old');
    utimesSync(join(folder, name), old, old);
  }
  const client = await addClient(world, 'aged');
  await until('the log is gone', async () => ((await read(client, '20260101_postloop.log')) === '' ? true : undefined));
  expect(await read(client, 'notes.txt')).toBe('old');
});
