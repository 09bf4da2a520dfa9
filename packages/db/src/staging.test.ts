import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { addressProblem } from '@postloop/mail-domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from './database.js';
import type { ImportRow } from './import.js';
import type { ListField } from './recipient-list.js';
import {
  checkStagedRows,
  copyIntoStaging,
  createStaging,
  distributeStaging,
  dropStaging,
  type RecipientCounts,
} from './staging.js';
import { insertMailing, MAILING } from './testing/mailing-fixture.js';
import { openTestDatabase } from './testing/open-test-database.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let db: Database;
beforeAll(async () => {
  opened = await openTestDatabase();
  db = opened.db;
});
afterAll(() => opened[Symbol.asyncDispose]());
beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query('TRUNCATE mailing_recipient');
});

const field = (name: string, type: ListField['type'], more: Partial<ListField> = {}) => ({
  name,
  type,
  length: null,
  required: false,
  role: null,
  ...more,
});
const FIELDS: ListField[] = [
  field('Email', 'varchar', { length: 255, role: 'email', required: true }),
  field('BROADMAIL_ID', 'bigint', { role: 'broadmail_id', required: true }),
  field('WAVE_ID', 'bigint', { role: 'wave_id' }),
  field('Name', 'varchar', { length: 5 }),
  field('Born', 'date'),
].map((one, index) => ({ ...one, ordinal: index + 1 }));
const IMPORT = 10_000n;

/** Stages records in the file's dialect, numbered from 1. */
async function stage(records: string[]): Promise<void> {
  await createStaging(db.pool, IMPORT, FIELDS);
  const client = await db.pool.connect();
  try {
    const numbered = records.map((record, index) => `${index + 1};${record}\n`).join('');
    await pipeline(Readable.from([Buffer.from(numbered)]), copyIntoStaging(client, IMPORT, FIELDS));
  } finally {
    client.release();
  }
}

const distribute = (): Promise<RecipientCounts> =>
  distributeStaging(db.pool, {
    importId: IMPORT,
    clientId: 5_000n,
    fields: FIELDS,
    mailings: new Map([['6000', MAILING]]),
  });

async function rows() {
  const { rows: found } = await db.pool.query(
    'SELECT line, email, wave_id, fields, status, reason FROM mailing_recipient ORDER BY line',
  );
  return found;
}

it('every row ends in exactly one status; NULL and an empty string stay apart', async () => {
  await db.pool.query(
    `INSERT INTO suppression (client_id, address, reason) VALUES (5000, 'gone@x.example', 'unsubscribed')`,
  );
  await stage([
    ' Ada@x.example ;6000;77;"";2020-02-29',
    'ada@X.example;6000;;Bob;',
    'gone@x.example;6000;;;',
    'bad@;6000;;;',
    'ada@x.example;6000;;toolong;',
    'eve@x.example;6000;x;;',
    'ben@x.example;6000;;;2021-02-29',
  ]);
  expect(await distribute()).toEqual({ queued: 1n, suppressed: 1n, invalid: 4n, duplicate: 1n });
  expect(await rows()).toEqual([
    {
      line: 1n,
      email: 'Ada@x.example',
      wave_id: 77n,
      fields: [' Ada@x.example ', '6000', '77', '', '2020-02-29'],
      status: 'queued',
      reason: null,
    },
    {
      line: 2n,
      email: 'ada@X.example',
      wave_id: null,
      fields: ['ada@X.example', '6000', null, 'Bob', null],
      status: 'duplicate',
      reason: null,
    },
    {
      line: 3n,
      email: 'gone@x.example',
      wave_id: null,
      fields: ['gone@x.example', '6000', null, null, null],
      status: 'suppressed',
      reason: 'unsubscribed',
    },
    expect.objectContaining({ line: 4n, status: 'invalid', reason: 'address:1' }),
    expect.objectContaining({ line: 5n, status: 'invalid', reason: 'too_long:4' }),
    expect.objectContaining({ line: 6n, status: 'invalid', reason: 'not_bigint:3' }),
    expect.objectContaining({ line: 7n, status: 'invalid', reason: 'not_date:5' }),
  ]);
});

describe('the threshold for bad rows', () => {
  const importRow = (badRowShare: number) => ({ id: IMPORT, badRowShare }) as ImportRow;
  const records = ['a@x.example;6000;;;', 'bad;6000;;;', 'b@x.example;6000;;;', 'c@x.example;6000;;;'];

  it('stops the import and names every bad row with its column', async () => {
    await stage(records);
    await expect(checkStagedRows(db.pool, importRow(0.2), FIELDS, 4n)).rejects.toMatchObject({
      faults: [
        { code: 'too_many_bad_values' },
        { code: 'bad_value', line: 2, column: 1, message: expect.stringContaining('Email') },
      ],
    });
  });

  it('lets the good rows through when it is not exceeded', async () => {
    await stage(records);
    await checkStagedRows(db.pool, importRow(0.25), FIELDS, 4n);
    expect(await distribute()).toMatchObject({ queued: 3n, invalid: 1n });
  });
});

it('the address rule in SQL is the one in TypeScript', async () => {
  const addresses = [
    'a@b.example',
    'a.b+c@x-y.example',
    '.a@b.example',
    'a..b@b.example',
    'a@b',
    'a@-b.example',
    'a b@c.example',
    '"a b"@c.example',
    'a@[127.0.0.1]',
    'ä@b.example',
    'a@b.example.',
    `${'x'.repeat(64)}@b.example`,
    `${'x'.repeat(65)}@b.example`,
    `a@${'y'.repeat(63)}.example`,
    `a@${'y'.repeat(64)}.example`,
    `a@${'y.'.repeat(125)}com`,
    "o'neill@b.example",
    'a@b.example>',
    'a@b.example,c@d.example',
  ];
  await stage(addresses.map((address) => `"${address.replaceAll('"', '""')}";6000;;;`));
  await distribute();
  const verdicts = (await rows()).map(({ status }) => status === 'queued');
  expect(verdicts).toEqual(addresses.map((address) => addressProblem(address) === null));
});

it('staging leaves nothing behind', async () => {
  await stage(['a@x.example;6000;;;']);
  await dropStaging(db.pool, IMPORT);
  expect((await db.pool.query(`SELECT 1 FROM pg_class WHERE relname LIKE 'staging%'`)).rowCount).toBe(0);
});
