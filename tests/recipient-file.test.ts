import { inboxPaths } from '@postloop/contracts';
import type { Row } from '@postloop/csv-dialect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptedAddresses } from './support/balance.js';
import { runCli } from './support/cli.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  nextName,
  openWorld,
  rowsFor,
  runExport,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: [...sendingApps, 'response-exporter'] });
});
afterAll(() => world[Symbol.asyncDispose]());

const goOn = { onError: { halt: false } };

/** What became of each row, by the command line. */
async function rowsOf(importId: bigint, ...status: string[]): Promise<unknown> {
  const run = await runCli(['import', 'show', String(importId), '--rows', ...status, '--json'], world.house.env);
  expect(run.code, run.stderr).toBe(0);
  return run.json;
}

describe('the header', () => {
  const HEADER = '\uFEFF email;broadmail_id;WAVE_ID;Salutation;"FIRST NAME";Last name\r\n';
  const line = (client: TestClient) => `ada@${client.directory}.example;${client.sources[0]};;Ms;Ada;L\r\n`;

  it.each([
    ['present', true],
    ['auto', true],
    ['auto', false],
    ['none', false],
  ] as const)('%s, header there: %s: the rows are mailed, the header is no row', async (header, there) => {
    const client = await addClient(world, `header-${header}-${there}`, [{}], { settings: { files: { header } } });
    const file = await upload(world, client, Buffer.from(`${there ? HEADER : ''}${line(client)}`));
    await untilSent(world, client, file);
    const report = await untilImported(world, client, file);
    expect(report).toMatchObject({ rows: 1n, queued: 1n });
    expect(await rowsOf(report.id)).toEqual([{ line: there ? '2' : '1', status: 'sent', reason: null }]);
  });

  it('present: another name rejects the file, and is told with its column', async () => {
    const client = await addClient(world, 'header-other', [{}], {
      settings: { files: { header: 'present' }, ...goOn },
    });
    const file = await upload(world, client, Buffer.from(`${HEADER.replace('Salutation', 'Title')}${line(client)}`));
    expect(await untilImported(world, client, file)).toMatchObject({
      status: 'failed',
      faults: [{ code: 'header', line: 1, column: 4, message: expect.stringContaining('"Salutation"') }],
    });
  });

  it('none: a header is told as such', async () => {
    const client = await addClient(world, 'header-none', [{}], { settings: goOn });
    const file = await upload(world, client, Buffer.from(`${HEADER}${line(client)}`));
    expect(await untilImported(world, client, file)).toMatchObject({
      status: 'failed',
      faults: [{ line: 1, column: 2, remedy: expect.stringContaining('header') }],
    });
  });
});

describe('rows', () => {
  it('each ends in one status, told by line with its reason; blank lines are counted', async () => {
    const client = await addClient(world, 'rows', [{}], { badRowShare: 0.5 });
    const id = client.sources[0];
    await world.db.pool.query(
      `INSERT INTO suppression (client_id, address, reason) VALUES ($1, 'gone@rows.example', 'unsubscribed')`,
      [client.id],
    );
    const file = await upload(
      world,
      client,
      Buffer.from(
        [
          `ada@rows.example;${id};77;Ms;"Ada\n""A"";";L`,
          '',
          `ADA@rows.example ;${id};78;Ms;Ada;L`,
          `gone@rows.example;${id};;;;`,
          `nobody;${id};;;;`,
          `bob@rows.example;${id};x;;;`,
        ].join('\n'),
      ),
    );
    await untilSent(world, client, file);
    const report = await untilImported(world, client, file);
    expect(report).toMatchObject({ rows: 5n, queued: 1n, suppressed: 1n, invalid: 2n, duplicate: 1n });
    const all = [
      { line: '1', status: 'sent', reason: null },
      { line: '4', status: 'duplicate', reason: null },
      { line: '5', status: 'suppressed', reason: 'unsubscribed' },
      { line: '6', status: 'invalid', reason: expect.stringMatching(/^Email: /) },
      { line: '7', status: 'invalid', reason: expect.stringMatching(/^WAVE_ID: .*whole number/) },
    ];
    expect(await rowsOf(report.id)).toEqual(all);
    expect(await rowsOf(report.id, 'invalid')).toEqual(all.slice(3));
    const { stdout } = await runCli(['import', 'show', String(report.id), '--rows', 'duplicate'], world.house.env);
    expect(stdout).toBe('line;status;reason\n4;duplicate;\n');
    expect((await mailTo(world.stack.inbox, 'ada@rows.example')).text).toContain('"A";');
  });

  it('over the threshold nothing is stored and nobody is mailed; at it the good rows go on', async () => {
    const client = await addClient(world, 'threshold', [{}], { badRowShare: 0.29, settings: goOn });
    const bad = (count: number): Row[] =>
      rowsFor(client, 100).map((row, i) => (i < count ? ['x', ...row.slice(1)] : row));
    const refused = await untilImported(world, client, await upload(world, client, bad(30)));
    expect(refused).toMatchObject({ status: 'failed', rows: 0n });
    expect(refused.faults).toHaveLength(31);
    expect(await rowsOf(refused.id)).toEqual([]);
    const file = await upload(world, client, bad(29));
    await untilSent(world, client, file);
    expect(await untilImported(world, client, file)).toMatchObject({ queued: 71n, invalid: 29n });
    expect([...acceptedAddresses(world.stack.inbox)].filter((one) => one.endsWith('@threshold.example'))).toHaveLength(
      71,
    );
  });

  it('nobody to send to: the import ends empty', async () => {
    const client = await addClient(world, 'empty', [{}], { badRowShare: 1 });
    const file = await upload(world, client, Buffer.from(`x;${client.sources[0]};;;;\n`));
    expect(await untilImported(world, client, file)).toMatchObject({ status: 'empty', queued: 0n, invalid: 1n });
  });
});

describe('several source mailings in one file', () => {
  it('are a mailing each; a wave is kept per recipient; an address counts once per mailing', async () => {
    const client = await addClient(world, 'several', [{ subject: 'first' }, { subject: 'second' }]);
    const [first, second] = client.sources.map(String);
    const file = await upload(world, client, [
      ['a@several.example', first ?? '', '1', null, 'A', null],
      ['b@several.example', second ?? '', '2', null, 'B', null],
      ['a@several.example', second ?? '', null, null, 'A', null],
      ['b@several.example', second ?? '', '3', null, 'B', null],
    ]);
    const mailings = await untilSent(world, client, file);
    expect(mailings).toHaveLength(2);
    const { rows } = await world.db.pool.query(
      'SELECT line, wave_id AS wave, status FROM mailing_recipient WHERE mailing_id = ANY($1) ORDER BY line',
      [mailings],
    );
    expect(rows).toEqual([
      { line: 1n, wave: 1n, status: 'queued' },
      { line: 2n, wave: 2n, status: 'queued' },
      { line: 3n, wave: null, status: 'queued' },
      { line: 4n, wave: 3n, status: 'duplicate' },
    ]);
  });

  it('are all checked before anything is sent: one that is archived rejects the file', async () => {
    const client = await addClient(world, 'archived', [{}, {}], { settings: goOn });
    await world.db.pool.query(`UPDATE source_mailing SET status = 'archived' WHERE id = $1`, [client.sources[1]]);
    const rows = [...rowsFor(client, 2, 0), ...rowsFor(client, 1, 1)];
    const report = await untilImported(world, client, await upload(world, client, rows));
    expect(report).toMatchObject({
      status: 'failed',
      faults: [{ code: 'source_mailing_status', line: 3, column: 2, message: expect.stringContaining('archived') }],
    });
    expect([...acceptedAddresses(world.stack.inbox)].filter((one) => one.endsWith('@archived.example'))).toEqual([]);
  });

  it('a column of something else is told without telling every row', async () => {
    const client = await addClient(world, 'confused', [{}], { settings: goOn });
    const rows = rowsFor(client, 1_500).map((row, i): Row => [row[0] ?? null, String(1_000 + i), ...row.slice(2)]);
    const report = await untilImported(world, client, await upload(world, client, rows));
    expect(report.status).toBe('failed');
    expect(report.faults).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('more than 1000') }),
    );
    expect(report.faults?.length).toBeLessThan(1_100);
  });
});

it('test data: the same structure, a new mailing each time, flagged, and in no export', async () => {
  const client = await addClient(world, 'trial');
  const { inbox } = inboxPaths(client.directory, 'test');
  const uploadTest = async () => {
    const name = nextName();
    await world.sftp.putAtomic(`${inbox}/${name}`, Buffer.from(`me@trial.example;${client.sources[0]};;Ms;Ada;L\n`));
    await world.producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
    return untilSent(world, client, name);
  };
  const mailings = [...(await uploadTest()), ...(await uploadTest())];
  expect(new Set(mailings).size).toBe(2);
  const listed = await runCli(['mailing', 'list', '--client', 'trial', '--json'], world.house.env);
  expect(listed.json).toMatchObject([{ test: true }, { test: true }]);
  const real = await untilSent(world, client, await upload(world, client, rowsFor(client, 1)));
  const files = await runExport(world, client);
  expect(files.mailings.map(({ id }) => id)).toEqual(real.map(String));
  expect(files.mailingrecipients.map(({ userId }) => userId)).toEqual(['p0@trial.example']);
  await until('both test mails arrived', async () => {
    const journal = world.stack.inbox.journal().filter(({ envelopeTo }) => envelopeTo.includes('me@trial.example'));
    return journal.filter(({ type }) => type === 'accepted').length === 2 ? true : undefined;
  });
});
