import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { appNames } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceOf } from './support/balance.js';
import { addClient, openWorld, rowsFor, untilSent, upload, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ env: { SMTP_CONNECTIONS: '2', BATCH_SIZE: '50' } });
});
afterAll(() => world[Symbol.asyncDispose]());

describe.each(appNames)('%s', (name) => {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${world.house.app(name).healthPort}${path}`);
    return { status: response.status, body: await response.text() };
  };

  it('answers /healthz, /readyz and /metrics', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: expect.stringContaining('"ready"') });
    expect((await get('/metrics')).body).toContain('process_cpu_seconds_total');
  });

  it('checks its configuration, telling all problems at once', async () => {
    const main = fileURLToPath(new URL(`../apps/${name}/dist/main.js`, import.meta.url));
    const child = spawn(process.execPath, [main, '--check-config'], {
      env: { LOG_LEVEL: 'loud' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
    expect(told).toMatch(/LOG_LEVEL/);
    expect(told).toMatch(/DATABASE_URL: is not set/);
  });
});

it('a sender that is asked to stop in the middle finishes what is in flight and leaves the rest queued', async () => {
  const client = await addClient(world, 'stopped');
  world.stack.inbox.behave({ delayMs: 5 });
  const before = world.stack.inbox.counts.accepted;
  const file = await upload(world, client, rowsFor(client, 300));
  await world.stack.inbox.waitForAccepted(before + 20);
  const exit = await world.house.app('sender-workers').stop();
  expect(exit).toMatchObject({ code: 0 });
  const { rows } = await world.db.pool.query(`SELECT DISTINCT status FROM delivery`);
  expect(rows).toEqual([{ status: 'sent' }]);
  expect(world.stack.inbox.counts.accepted).toBeLessThan(before + 300);

  await world.house.start('sender-workers');
  const mailings = await untilSent(world, client, file);
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
});

it('every app stops cleanly on SIGTERM', async () => {
  const exits = await Promise.all(appNames.map(async (name) => [name, (await world.house.app(name).stop()).code]));
  expect(exits).toEqual(appNames.map((name) => [name, 0]));
});
