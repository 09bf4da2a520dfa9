import { mkdirSync, writeFileSync } from 'node:fs';
import { formatRow, type Row } from '@postloop/csv-dialect';
import { deliveryStatus, smtpSend } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { soakOptions } from '../support/env.js';
import { lay } from '../support/exchange.js';
import { mailTo } from '../support/mail.js';
import { until } from '../support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from '../support/world.js';
import { findKillPoints, type KillPoint } from './kill-points.js';

// Kills at each named kill point in turn, while a client's day goes on: files, a restart, reactions, bounces, exports.

const CONNECTIONS = 2;
const ROWS = 25;

/** Not killed at yet: a day does not come by these. Why. */
const NOT_REACHED: Readonly<Record<string, string>> = {
  'scheduler.after-recycle-batch': 'takes data of a month',
  'sender.before-keep-content': 'takes content that a recipient names by URL',
};

const say = (text: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
const results: { point: string; mails: number; missing: number; twice: number; unknown: number }[] = [];

let world: World;
beforeAll(async () => {
  world = await openWorld({ env: { SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '10', LOG_LEVEL: 'warn' } });
});
afterAll(async () => {
  mkdirSync('node_modules/.postloop', { recursive: true });
  const total = (key: 'mails' | 'missing' | 'twice' | 'unknown') => results.reduce((sum, one) => sum + one[key], 0);
  const summary = {
    points: points.length,
    killedAt: results.length,
    mails: total('mails'),
    missing: total('missing'),
    twice: total('twice'),
    unknown: total('unknown'),
  };
  writeFileSync('node_modules/.postloop/sweep.json', `${JSON.stringify(summary)}\n`);
  await world[Symbol.asyncDispose]();
});

const points = findKillPoints().filter(({ name }) => name.includes(soakOptions().only));
for (const [name, why] of Object.entries(NOT_REACHED)) say(`not in the sweep: ${name} (${why})`);

it.each(points.filter(({ name }) => !(name in NOT_REACHED)))('$app killed at $name', async (point) => {
  const client = await addClient(world, point.name.replace(/\W/g, '-'), [{}, {}], {
    settings: { notices: { addresses: ['operator@shop.example'] } },
  });
  await world.house.app(point.app).stop();
  const doomed = await world.house.start(point.app, { killPoint: point.name });
  let killed = false;
  const back = doomed.exited.then(async ({ signal }) => {
    killed = signal === 'SIGKILL';
    await world.house.start(point.app);
  });

  const mailings = await day(client, point);
  expect(killed, `nobody passed ${point.name}`).toBe(true);
  await back;
  const balance = await balanceOf(world, mailings);
  const mails = await countRecipients(mailings);
  results.push({ point: point.name, mails, ...balance });
  say(`${point.name}: ${mails} mails, ${JSON.stringify(balance)}`);
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeLessThanOrEqual(point.app === 'sender-workers' ? CONNECTIONS * 2 : 0);
});

/** @returns the day's mailings, all finished */
async function day(client: TestClient, point: KillPoint): Promise<bigint[]> {
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, ROWS)));
  await react(client);
  mailings.push(...(await failAndRestart(client)));
  const { mailingrecipients } = await runExport(world, client);
  expect(mailingrecipients.length).toBe(await countRecipients(mailings));
  const { mailingrecipients: again, opens } = await runExport(world, client);
  expect([again, opens]).toEqual([[], []]);
  // Waits for a full minute: only for who starts mailings at their time.
  if (point.name === 'scheduler.after-start') mailings.push(...(await sendAtTime(client)));
  return mailings;
}

async function react(client: TestClient): Promise<void> {
  // Some may be unknown: whoever got a mail.
  const entry = world.stack.inbox
    .journal()
    .find(({ type, envelopeTo }) => type === 'accepted' && envelopeTo[0]?.endsWith(`@${client.directory}.example`));
  const address = entry?.envelopeTo[0] ?? '';
  const mail = await mailTo(world.stack.inbox, address);
  await until('the gateway answers', async () => (await fetch(mail.pixel).catch(() => undefined))?.ok || undefined);
  const to = entry?.envelopeFrom ?? '';
  const bounce = deliveryStatus(to, [{ recipient: address, status: '5.2.2', diagnostic: '552 5.2.2 full' }]);
  // A mail server keeps what it got no 250 for.
  await until('the bounce is taken over', () =>
    smtpSend(world.house.inboundUrl, { from: '', to }, bounce).catch(() => undefined),
  );
  await until('both are recorded', async () => {
    const { rows } = await world.db.pool.query(
      'SELECT 1 FROM event WHERE client_id = $1 AND EXISTS (SELECT 1 FROM response WHERE client_id = $1)',
      [client.id],
    );
    return rows[0];
  });
}

/** A file with a bad row, which the customer corrects over SFTP. */
async function failAndRestart(client: TestClient): Promise<bigint[]> {
  const rows = rowsFor(client, 5).map(([email, ...row]): Row => [`again-${email}`, ...row]);
  const bad: Row = ['nobody', ...(rows[0] ?? []).slice(1)];
  const file = await upload(world, client, [...rows, bad]);
  await until('the file has failed', async () => {
    const report = await untilImported(world, client, file);
    return report.status === 'failed' || undefined;
  });
  const corrected: Row = [`last@${client.directory}.example`, ...(rows[0] ?? []).slice(1)];
  await lay(world, client, `${file}.restart`, formatRow(['6', ...corrected]));
  return until('the corrected file is sent', async () => {
    await world.producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
    const { rows: sent } = await world.db.pool.query<{ id: bigint }>(
      `SELECT m.id FROM mailing m JOIN import i ON i.id = m.import_id WHERE i.client_id = $1 AND i.file_name = $2 AND m.status = 'finished'`,
      [client.id, file],
    );
    return sent.length > 0 ? sent.map(({ id }) => id) : undefined;
  });
}

async function sendAtTime(client: TestClient): Promise<bigint[]> {
  const soon = new Date(Date.now() + 65_000).toISOString().slice(11, 16);
  const { rows } = await world.db.pool.query<{ id: bigint }>(
    'UPDATE source_mailing SET send_at = $2 WHERE id = $1 RETURNING id',
    [client.sources[1], `${soon} UTC`],
  );
  expect(rows).toHaveLength(1);
  const later = rowsFor(client, 5, 1).map(([email, ...row]): Row => [`later-${email}`, ...row]);
  const file = await upload(world, client, later);
  await untilImported(world, client, file);
  return until('the mailing is sent at its time', () => untilSent(world, client, file).catch(() => undefined), 180_000);
}

async function countRecipients(mailings: readonly bigint[]): Promise<number> {
  const { rows } = await world.db.pool.query<{ count: number }>(
    `SELECT count(*)::int FROM mailing_recipient WHERE mailing_id = ANY($1) AND status = 'queued'`,
    [mailings],
  );
  return rows[0]?.count ?? 0;
}
