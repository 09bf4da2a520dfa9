import { inboxPaths } from '@postloop/contracts';
import { type Row, readRows } from '@postloop/csv-dialect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptedAddresses } from './support/balance.js';
import { errorsOf } from './support/exchange.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
let client: TestClient;
let other: TestClient;
beforeAll(async () => {
  world = await openWorld();
  const sources = [{}, { html: '<html><body>{{ Frist name }}</body></html>' }];
  client = await addClient(world, 'bad', sources, { settings: { onError: { halt: false } } });
  other = await addClient(world, 'good');
});
afterAll(() => world[Symbol.asyncDispose]());

const good = () => `a@bad.example;${client.sources[0]};;Ms;Ada;L\n`;

describe.each<{ what: string; file: () => string | Buffer; line: number; column: number; code: string }>([
  {
    what: 'a wrong column count',
    file: () => `${good()}b@bad.example;${client.sources[0]};;Ms\n`,
    line: 2,
    column: 4,
    code: 'column_count',
  },
  {
    what: 'an unterminated quote',
    file: () => `${good()}b@bad.example;${client.sources[0]};;"Ms;Bob;B\n`,
    line: 2,
    column: 4,
    code: 'quoting',
  },
  {
    what: 'invalid UTF-8',
    file: () =>
      Buffer.concat([
        Buffer.from(`${good()}b@bad.example;${client.sources[0]};;M`),
        Buffer.from([0xfc]),
        Buffer.from('ller;B;B\n'),
      ]),
    line: 2,
    column: 4,
    code: 'encoding',
  },
  {
    what: 'an unknown BROADMAIL_ID',
    file: () => `${good()}b@bad.example;4711;;Ms;Bob;B\n`,
    line: 2,
    column: 2,
    code: 'source_mailing_unknown',
  },
  {
    what: "another client's BROADMAIL_ID",
    file: () => `${good()}b@bad.example;${other.sources[0]};;Ms;Bob;B\n`,
    line: 2,
    column: 2,
    code: 'source_mailing_unknown',
  },
  {
    what: 'a bad address',
    file: () => `${good()}b@bad;${client.sources[0]};;Ms;Bob;B\n`,
    line: 2,
    column: 1,
    code: 'bad_value',
  },
  {
    what: 'an unknown placeholder',
    file: () => `${good()}b@bad.example;${client.sources[1]};;Ms;Bob;B\n`,
    line: 1,
    column: 13,
    code: 'template',
  },
])('$what', ({ file, line, column, code }) => {
  it('stops the file before any mail, and says where and what to do', async () => {
    const mails = world.stack.inbox.counts.accepted;
    const content = Buffer.from(file());
    const name = await upload(world, client, content);
    const report = await untilImported(world, client, name);

    expect(report.status).toBe('failed');
    const fault = report.faults?.find((one) => one.code === code);
    expect(fault).toMatchObject({ line, column });
    expect(fault?.remedy).not.toBe('');
    const paths = inboxPaths(client.directory, 'import');
    await until(
      'the file lies in failed/',
      async () => (await world.sftp.stat(`${paths.failed}/${name}`)) ?? undefined,
    );
    const told = await readErrors(name);
    expect(told[0]).toEqual(['line', 'column', 'code', 'message', 'raw row', 'remedy']);
    const { message, remedy } = fault ?? {};
    // A template's line is not one of the file.
    const rawRow = code === 'template' ? null : (content.toString().split('\n')[line - 1] ?? null);
    expect(told).toContainEqual([String(line), String(column), code, message, rawRow, remedy]);
    const twin = JSON.parse((await errorsOf(world, client, name, 'json')) ?? '');
    expect(twin).toMatchObject({ importId: String(report.id), directory: 'import', fileName: name });
    expect(twin.faults).toContainEqual({ line, column, code, message, rawRow, remedy });
    expect(world.stack.inbox.counts.accepted).toBe(mails);
  });
});

async function readErrors(name: string): Promise<Row[]> {
  const rows: Row[] = [];
  const bytes = Buffer.from((await errorsOf(world, client, name)) ?? '');
  for await (const { values } of readRows(
    (async function* () {
      yield bytes;
    })(),
  ))
    rows.push(values);
  return rows;
}

it('other directories go on', async () => {
  await upload(world, client, Buffer.from('broken'));
  await untilSent(world, other, await upload(world, other, rowsFor(other, 5)));
  expect(acceptedAddresses(world.stack.inbox)).toContain('p4@good.example');
});

it('the same file again is ignored; the same rows under a new name are refused', async () => {
  const rows = rowsFor(other, 4);
  const name = await upload(world, other, rows);
  await untilSent(world, other, name);
  const mails = world.stack.inbox.counts.accepted;
  await upload(world, other, rows, name);
  const renamed = await upload(world, other, rows);
  expect(await untilImported(world, other, renamed)).toMatchObject({
    status: 'failed',
    faults: [{ code: 'content_known' }],
  });
  expect(await untilImported(world, other, name)).toMatchObject({ status: 'ignored' });
  expect(world.stack.inbox.counts.accepted).toBe(mails);
});
