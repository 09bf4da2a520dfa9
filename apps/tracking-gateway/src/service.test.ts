import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@postloop/contracts';
import { type Database, deployMigrations, openDatabase } from '@postloop/db';
import { type PostgresServer, startPostgres, temporaryDirectory } from '@postloop/local-stack';
import { createKeyring, signTokens, type TokenPurpose } from '@postloop/mail-domain';
import { createLogger } from '@postloop/service-kit';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configSchema } from './config.js';
import { start } from './service.js';
import { ANNA, insertSentMailing } from './testing/sent-mailing.js';

const secret = randomBytes(32);
const keyring = createKeyring({ keys: [{ id: 1, secret }], current: 1 });
const tokenOf = (mailingId: bigint, purpose: TokenPurpose, ordinal: number) =>
  signTokens(keyring, mailingId, ANNA, [{ purpose, ordinal }]).join('');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let postgres: PostgresServer;
let db: Database;
let databaseUrl: string;

const openTestDatabase = () => openDatabase({ url: databaseUrl, poolMax: 2, onError: () => undefined });

beforeAll(async () => {
  directory = await temporaryDirectory();
  postgres = await startPostgres({ dir: join(directory.path, 'postgres') });
  databaseUrl = await postgres.createDatabase('gateway');
  await deployMigrations(databaseUrl);
  db = openTestDatabase();
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await postgres.stop();
  await directory[Symbol.asyncDispose]();
});

async function startGateway(spool: string) {
  const config = configSchema.parse({
    DATABASE_URL: databaseUrl,
    PUBLIC_URL: 'http://127.0.0.1',
    TOKEN_KEYS: `1:${secret.toString('base64')}`,
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: '0',
    SPOOL_DIR: join(directory.path, spool),
  });
  const metrics = new Registry();
  const log = createLogger('tracking-gateway', 'fatal');
  const service = await start(config, { log, metrics, clock: systemClock });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${service.port}${path}`, { redirect: 'manual', ...init });
  return { service, metrics, ask, stop: () => service[Symbol.asyncDispose]() };
}

const unsubscribe = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) };

async function waitingBytes(metrics: Registry): Promise<number> {
  return Number(/^postloop_gateway_spool_waiting_bytes (\S+)/m.exec(await metrics.metrics())?.[1]);
}

async function eventsOf(mailingId: bigint) {
  const { rows } = await db.pool.query<{ kind: string; recipient: bigint; ordinal: number }>(
    `SELECT kind, recipient_id AS recipient, link_ordinal AS ordinal FROM event WHERE mailing_id = $1 ORDER BY link_ordinal`,
    [mailingId],
  );
  return rows;
}

it('records what a recipient does, and an unsubscribe once', async () => {
  await insertSentMailing(db, 20_000n);
  const { ask, stop, service } = await startGateway('spool-1');
  expect((await ask(`/o/${tokenOf(20_000n, 'pixel', 1)}`)).status).toBe(200);
  const click = await ask(`/c/${tokenOf(20_000n, 'click', 3)}`);
  expect(click.headers.get('location')).toBe('https://shop.example/?mailing=20000');
  for (let n = 0; n < 2; n += 1)
    expect((await ask(`/u/${tokenOf(20_000n, 'unsubscribe', 2)}`, unsubscribe)).status).toBe(200);
  await expect
    .poll(() => eventsOf(20_000n), { timeout: 10_000 })
    .toEqual([
      { kind: 'open', recipient: ANNA, ordinal: 1 },
      { kind: 'unsubscribe', recipient: ANNA, ordinal: 2 },
      { kind: 'click', recipient: ANNA, ordinal: 3 },
    ]);
  const { rows } = await db.pool.query(`SELECT address, reason FROM suppression`);
  expect(rows).toEqual([{ address: 'anna@example.com', reason: 'unsubscribed' }]);
  await service.checks.spool?.();
  await stop();
  expect(await readdir(join(directory.path, 'spool-1'))).toEqual(['links.jsonl']);
});

it('unsubscribes at one click as long as a mail lives, also when its mailing is gone: never 404, no cookie, no redirect', async () => {
  await insertSentMailing(db, 60_000n);
  await insertSentMailing(db, 70_000n);
  const { ask, stop, metrics } = await startGateway('spool-4');
  const multipart = new FormData();
  multipart.set('List-Unsubscribe', 'One-Click');
  const oneClick = (mailingId: bigint, body: URLSearchParams | FormData) =>
    ask(`/u/${tokenOf(mailingId, 'unsubscribe', 2)}`, { method: 'POST', body });
  await db.pool.query(`DELETE FROM suppression; DELETE FROM mailing_recipient WHERE mailing_id = 60000`);
  await db.pool.query(`DELETE FROM link WHERE mailing_id = 60000; DELETE FROM mailing WHERE id = 60000`);
  for (const mailingId of [60_000n, 99_000n, 70_000n])
    for (const body of [new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), multipart]) {
      const answer = await oneClick(mailingId, body);
      expect([answer.status, answer.headers.get('set-cookie'), answer.headers.get('location')]).toEqual([
        200,
        null,
        null,
      ]);
    }
  // Those that have no mailing any more hold up nobody.
  await expect.poll(() => eventsOf(70_000n)).toEqual([{ kind: 'unsubscribe', recipient: ANNA, ordinal: 2 }]);
  const { rows } = await db.pool.query('SELECT address FROM suppression');
  expect(rows).toEqual([{ address: 'anna@example.com' }]);
  await expect.poll(() => waitingBytes(metrics)).toBe(0);
  await stop();
});

it('knows the links of a mailing that started after it', async () => {
  const { ask, stop } = await startGateway('spool-2');
  await insertSentMailing(db, 30_000n);
  expect((await ask(`/c/${tokenOf(30_000n, 'click', 3)}`)).status).toBe(302);
  expect((await ask(`/c/${tokenOf(30_000n, 'click', 9)}`)).status).toBe(404);
  await stop();
});

it('answers while the database is away, and records in its next life what it saw', async () => {
  await insertSentMailing(db, 40_000n);
  const first = await startGateway('spool-3');
  const isUp = async () => /^postloop_gateway_database_up (\d)/m.exec(await first.metrics.metrics())?.[1];
  await db[Symbol.asyncDispose]();
  await postgres.stop();
  await expect.poll(isUp, { timeout: 10_000 }).toBe('0');

  expect((await first.ask(`/c/${tokenOf(40_000n, 'click', 3)}`)).status).toBe(302);
  expect((await first.ask(`/c/${tokenOf(50_000n, 'click', 3)}`)).status).toBe(503);
  expect((await first.ask(`/o/${tokenOf(40_000n, 'pixel', 1)}`)).status).toBe(200);
  expect((await first.ask(`/u/${tokenOf(40_000n, 'unsubscribe', 2)}`, unsubscribe)).status).toBe(200);
  await first.service.checks.spool?.();
  expect(await first.metrics.metrics()).toMatch(/^postloop_gateway_spool_waiting_bytes [1-9]/m);
  const waits = async () =>
    Number(/^postloop_gateway_spool_oldest_seconds (\S+)/m.exec(await first.metrics.metrics())?.[1]);
  await expect.poll(waits, { timeout: 10_000 }).toBeGreaterThan(0);
  await first.stop();
  const blind = await startGateway('spool-3');
  expect((await blind.ask(`/c/${tokenOf(40_000n, 'click', 3)}`)).status).toBe(302);
  await blind.stop();

  postgres = await startPostgres({ dir: join(directory.path, 'postgres'), port: postgres.port });
  db = openTestDatabase();
  await using _second = (await startGateway('spool-3')).service;
  await expect
    .poll(async () => (await eventsOf(40_000n)).map(({ kind }) => kind), { timeout: 10_000 })
    .toEqual(['open', 'unsubscribe', 'click', 'click']);
});
