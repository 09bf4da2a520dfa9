import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '@postloop/csv-dialect';
import { selectListFields, selectSourceMailingForCopy, upsertMasterList, upsertSourceMailing } from '@postloop/db';
import { temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScheduled } from '../apps/scheduler/dist/start-scheduled.js';
import { balanceOf } from './support/balance.js';
import { runCli } from './support/cli.js';
import { mailTo } from './support/mail.js';
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
  world = await openWorld({ apps: sendingApps });
});
afterAll(() => world[Symbol.asyncDispose]());

const HOUR_MS = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS);

interface Shown {
  id: string;
  sourceMailingId: string;
  status: string;
  sendAt: string | null;
  startedAt: string | null;
}

/** The client's mailings as the command line lists them, the newest first. */
async function mailingsOf(client: TestClient): Promise<Shown[]> {
  const { json } = await runCli(['mailing', 'list', '--client', client.directory, '--json'], world.house.env);
  // Shapes are what the assertions are about.
  return json as Shown[];
}

async function order(what: 'pause' | 'resume' | 'cancel', { id }: Shown) {
  return (await runCli(['mailing', what, id, '--json'], world.house.env)).json;
}

async function change(client: TestClient, content: { subject?: string; sendAt?: string }): Promise<void> {
  const source = await world.db.transaction((sql) => selectSourceMailingForCopy(sql, client.sources[0] ?? 0n));
  if (!source) throw new Error('no source mailing');
  const { status, campaignId, updatedAt, id, ...written } = source;
  await upsertSourceMailing(world.db, { ...written, ...content });
}

/** As the scheduler does, at another time. @returns the statuses of the client's mailings then */
async function startAt(client: TestClient, now: Date): Promise<string[]> {
  await startScheduled({
    db: world.db,
    producer: world.producer,
    clock: { now: () => now },
    log: { info: () => undefined },
  });
  return (await mailingsOf(client)).map(({ status }) => status);
}

/** Gives the client's list a column SEND_AT at its end. */
async function withSendAt(client: TestClient): Promise<void> {
  const { rows } = await world.db.pool.query(`SELECT id FROM recipient_list WHERE client_id = $1 AND kind = 'master'`, [
    client.id,
  ]);
  const fields = await selectListFields(world.db.pool, rows[0].id);
  await upsertMasterList(world.db, client.id, 'master', [
    ...fields.map(({ ordinal, ...field }) => field),
    { name: 'SEND_AT', type: 'timestamp', length: null, required: false, role: 'send_at' },
  ]);
}

const timed = (client: TestClient, source: number, sendAt: string | null, count = 2): Row[] =>
  rowsFor(client, count, source).map(([email, ...row]) => [`s${source}-${email}`, ...row, sendAt]);

describe('a time on the source mailing', () => {
  it('its copy waits for the next such time, as it was when it was copied', async () => {
    const client = await addClient(world, 'rule', [{ subject: 'as it was' }]);
    const time = inHours(12);
    await change(client, { sendAt: `${time.toISOString().slice(11, 16)} UTC` });
    const file = await upload(world, client, rowsFor(client, 3));
    await untilImported(world, client, file);
    const due = new Date(Math.floor(time.getTime() / 60_000) * 60_000);
    expect(await mailingsOf(client)).toMatchObject([
      { status: 'scheduled', sendAt: due.toISOString(), startedAt: null },
    ]);

    await change(client, { subject: 'edited since' });
    expect(await startAt(client, new Date(due.getTime() - 1))).toEqual(['scheduled']);
    expect(world.stack.inbox.journal().some(({ envelopeTo }) => envelopeTo.includes('p0@rule.example'))).toBe(false);
    await startAt(client, due);
    const mailings = await untilSent(world, client, file);
    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
    expect((await mailTo(world.stack.inbox, 'p0@rule.example')).email.subject).toBe('as it was');
  });
});

describe('a column SEND_AT', () => {
  it('each source mailing of the file at its time; past or empty: at once', async () => {
    const client = await addClient(world, 'column', [{}, {}, {}]);
    await withSendAt(client);
    const due = new Date(Math.floor(inHours(2).getTime() / 1_000) * 1_000);
    await upload(world, client, [
      ...timed(client, 0, `${due.toISOString().slice(0, 19)}Z`),
      ...timed(client, 1, '2020-01-01T09:00+01:00'),
      ...timed(client, 2, null),
    ]);
    const mailings = await until('two are sent', async () => {
      const all = await mailingsOf(client);
      return all.filter(({ status }) => status === 'finished').length === 2 ? all : undefined;
    });
    const waiting = mailings.find(({ sourceMailingId }) => sourceMailingId === String(client.sources[0]));
    expect(waiting).toMatchObject({ status: 'scheduled', sendAt: due.toISOString() });
    await startAt(client, due);
    await until('all are sent', async () =>
      (await mailingsOf(client)).every(({ status }) => status === 'finished') ? true : undefined,
    );
  });

  it('takes precedence of the time on the source mailing, which counts where the column is empty', async () => {
    const client = await addClient(world, 'both');
    await withSendAt(client);
    const [byRule, byFile] = [inHours(12), inHours(20)];
    await change(client, { sendAt: `${byRule.toISOString().slice(11, 16)} UTC` });
    await untilImported(world, client, await upload(world, client, timed(client, 0, byFile.toISOString())));
    await untilImported(world, client, await upload(world, client, timed(client, 0, null)));
    const times = (await mailingsOf(client)).map(({ sendAt }) => sendAt?.slice(0, 16));
    expect(times).toEqual([byRule, byFile].map((time) => time.toISOString().slice(0, 16)));
  });

  it('two times for one source mailing reject the file, told with both lines', async () => {
    const client = await addClient(world, 'two-times', [{}], { settings: { onError: { halt: false } } });
    await withSendAt(client);
    const rows = [...timed(client, 0, '2030-01-01T09:00Z', 1), ...timed(client, 0, '2030-01-01T10:00+01:00', 1)];
    const conflicting = [...rows, ...timed(client, 0, '2030-01-01T09:30Z', 1), ...timed(client, 0, null, 1)];
    const report = await untilImported(world, client, await upload(world, client, conflicting));
    expect(report.status).toBe('failed');
    expect(report.faults).toMatchObject([
      { code: 'send_at', line: 3, column: 7, message: expect.stringContaining('in line 1') },
      { code: 'send_at', line: 4, column: 7 },
    ]);
    // One instant in two notations is one time.
    const again = await untilImported(world, client, await upload(world, client, rows));
    expect(again).toMatchObject({ status: 'started', queued: 1n, duplicate: 1n });
    expect(await mailingsOf(client)).toMatchObject([{ status: 'scheduled', sendAt: '2030-01-01T09:00:00.000Z' }]);
  });

  it('that holds no time makes its row invalid', async () => {
    const client = await addClient(world, 'no-time', [{}], { badRowShare: 0.5 });
    await withSendAt(client);
    const rows = [
      ...timed(client, 0, null, 1),
      ['x@no-time.example', String(client.sources[0]), null, null, null, null, 'soon'],
    ];
    const file = await upload(world, client, rows);
    await untilSent(world, client, file);
    expect(await untilImported(world, client, file)).toMatchObject({ queued: 1n, invalid: 1n });
  });
});

describe('a mailing that waits for its time', () => {
  async function waiting(name: string): Promise<{ client: TestClient; file: string; mailing: Shown }> {
    const client = await addClient(world, name);
    await change(client, { sendAt: `${inHours(12).toISOString().slice(11, 16)} UTC` });
    const file = await upload(world, client, rowsFor(client, 3));
    await untilImported(world, client, file);
    const [mailing] = await mailingsOf(client);
    if (!mailing) throw new Error('no mailing');
    return { client, file, mailing };
  }
  const makeDue = ({ id }: Shown) =>
    world.db.pool.query(`UPDATE mailing SET send_at = now() - interval '1 s' WHERE id = $1`, [id]);

  it('is started by the scheduler when it is due', async () => {
    const { client, file, mailing } = await waiting('due');
    await makeDue(mailing);
    expect(await untilSent(world, client, file)).toEqual([BigInt(mailing.id)]);
  });

  it('is sent once when the scheduler is killed between its start and telling the senders', async () => {
    const { client, file, mailing } = await waiting('killed');
    await world.house.app('scheduler').stop();
    const doomed = await world.house.start('scheduler', { killPoint: 'scheduler.after-start' });
    await makeDue(mailing);
    expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await mailingsOf(client)).toMatchObject([{ status: 'sending' }]);
    await world.house.start('scheduler');
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual({ missing: 0, twice: 0, unknown: 0 });
  });

  it('can be cancelled', async () => {
    const { client, mailing } = await waiting('cancelled');
    expect(await order('cancel', mailing)).toMatchObject({ before: 'scheduled', after: 'cancelled' });
    expect(await startAt(client, inHours(24))).toEqual(['cancelled']);
    const shown = await runCli(['mailing', 'show', mailing.id, '--json'], world.house.env);
    expect(shown.json).toMatchObject({ status: 'cancelled', statuses: { cancelled: '3' } });
  });

  it('can be paused and resumed', async () => {
    const { client, file, mailing } = await waiting('paused');
    expect(await order('pause', mailing)).toMatchObject({ before: 'scheduled', after: 'paused' });
    expect(await startAt(client, inHours(24))).toEqual(['paused']);
    expect(await order('resume', mailing)).toMatchObject({ before: 'paused', after: 'scheduled' });
    await startAt(client, inHours(24));
    await untilSent(world, client, file);
  });
});

it('a source mailing cannot be changed while it is copied, and the command says so', async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, 'shop');
  cpSync(fileURLToPath(new URL('../examples/example-shop', import.meta.url)), folder, { recursive: true });
  const sources = join(folder, 'source-mailings', 'product-tips');
  const file = join(sources, 'mailing.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), sendAt: '09:00 Europe/Berlin' }));
  const run = (...args: string[]) => runCli([...args, '--json'], world.house.env);
  expect((await run('client', 'apply', folder)).code).toBe(0);
  expect((await run('source-mailing', 'apply', sources)).code).toBe(0);
  const { rows } = await world.db.pool.query(`SELECT id, send_at FROM source_mailing WHERE name = 'Product tips'`);
  expect(rows).toEqual([{ id: expect.any(BigInt), send_at: '09:00 Europe/Berlin' }]);
  await world.db.transaction(async (sql) => {
    await selectSourceMailingForCopy(sql, rows[0].id);
    expect(await run('source-mailing', 'apply', sources)).toMatchObject({
      code: 1,
      json: {
        error: { message: expect.stringContaining('is being copied'), remedy: expect.stringContaining('again') },
      },
    });
  });
  expect((await run('source-mailing', 'apply', sources)).code).toBe(0);
});
