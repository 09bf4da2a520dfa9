import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { addressProblem } from '@postloop/mail-domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from './database.js';
import type { ListField } from './recipient-list.js';
import {
  copyIntoStaging,
  createStaging,
  type Distribution,
  distributeStaging,
  dropStaging,
  type RecipientCounts,
  selectBadRows,
  selectNamedSourceMailings,
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
async function stage(records: string[], fields = FIELDS): Promise<void> {
  await createStaging(db.pool, IMPORT, fields);
  const client = await db.pool.connect();
  try {
    const numbered = records.map((record, index) => `${index + 1};${record}\n`).join('');
    await pipeline(Readable.from([Buffer.from(numbered)]), copyIntoStaging(client, IMPORT, fields));
  } finally {
    client.release();
  }
}

const distribute = (fields = FIELDS, more: Partial<Distribution> = {}): Promise<RecipientCounts> =>
  distributeStaging(db.pool, {
    ...more,
    importId: IMPORT,
    clientId: 5_000n,
    fields,
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

describe('each type takes its forms and nothing else that PostgreSQL would take', () => {
  /** A value as it stands between two separators. */
  const forms: [string, Partial<ListField>, taken: string[], refused: string[]][] = [
    [
      'varchar(3)',
      { type: 'varchar', length: 3 },
      ['', '""', 'abc', '  a', '😀😀😀', '"a\nb"', 'äöü'],
      ['abcd', '😀😀😀😀', '"a\n\nb"'],
    ],
    ['text', { type: 'text' }, ['', '""', 'x'.repeat(100_000), '"\\."', '"a\n\\.\nb"'], []],
    [
      'bigint',
      { type: 'bigint' },
      ['', '0', '-1', '007', '9223372036854775807', '-9223372036854775808'],
      ['9223372036854775808', '-9223372036854775809', '1.0', '1e3', '0x1F', '1_000', ' 1', '+1', '""', '١'],
    ],
    [
      'integer',
      { type: 'integer' },
      ['', '2147483647', '-2147483648'],
      ['2147483648', '-2147483649', '1,000', '0b1', '1 ', '""', 'x'],
    ],
    [
      'decimal',
      { type: 'decimal' },
      ['', '0', '-12.50', '123456789012345678901234567890.123456789'],
      ['NaN', 'Infinity', '-inf', '1e5', '1,5', '.5', '5.', '1_0', '""', ' 1'],
    ],
    [
      'boolean',
      { type: 'boolean' },
      ['', 't', 'f', 'true', 'FALSE', 'True', '1', '0', 'yes', 'No', 'y', 'n', 'on', 'OFF'],
      ['tr', 'fal', 'of', '2', 'ja', ' t', '""'],
    ],
    [
      'date',
      { type: 'date' },
      ['', '2024-02-29', '0001-01-01', '9999-12-31'],
      [
        '2023-02-29',
        '2024-02-30',
        '2024-13-01',
        '0000-01-01',
        '2024-2-9',
        '20240229',
        '29.02.2024',
        'infinity',
        'today',
        'epoch',
        '2024-02-29 BC',
        '2024-02-29 10:00',
        '""',
      ],
    ],
    [
      'timestamp',
      { type: 'timestamp' },
      [
        '',
        '2024-02-29 10:00',
        '2024-02-29T23:59:59',
        '2024-02-29 10:00:00.123456+01',
        '2024-02-29T10:00Z',
        '2024-02-29T10:00:00-0330',
        '2024-02-29T10:00:00+05:45',
      ],
      [
        '2024-02-29',
        '2024-02-30 10:00',
        '2024-02-29 24:00',
        '2024-02-29 10:60',
        '2024-02-29 10:00:60',
        'now',
        '-infinity',
        '2024-02-29 10:00 CET',
        '2024-02-29 10:00+24',
        '""',
      ],
    ],
    [
      'SEND_AT',
      { type: 'timestamp', role: 'send_at' },
      ['', '2026-11-30T09:00+01:00', '2026-11-30 09:00:00Z'],
      ['2026-11-30T09:00', '2026-11-30', 'now', 'tomorrow', '""'],
    ],
  ];

  it.each(forms)('%s', async (_name, type, taken, refused) => {
    const fields = [...FIELDS.slice(0, 2), { ...field('Value', 'text', type), ordinal: 3 }];
    const values = [...taken, ...refused];
    await stage(
      values.map((value, i) => `r${i}@x.example;6000;${value}`),
      fields,
    );
    await distribute(fields);
    const verdicts = (await rows()).map(({ status }, i) => [values[i], status]);
    expect(verdicts).toEqual([
      ...taken.map((value) => [value, 'queued']),
      ...refused.map((value) => [value, 'invalid']),
    ]);
  });

  it('a required value may be an empty string, not NULL', async () => {
    const fields = [...FIELDS.slice(0, 2), { ...field('Name', 'text', { required: true }), ordinal: 3 }];
    await stage(['a@x.example;6000;""', 'b@x.example;6000;'], fields);
    await distribute(fields);
    expect((await rows()).map(({ reason }) => reason)).toEqual([null, 'missing:3']);
  });
});

it('what is wrong is counted before a row is stored, and may stop it', async () => {
  await stage(['a@x.example;6000;;;', 'bad;6000;;;', 'a@x.example;6000;;;']);
  const check = ({ invalid, duplicate }: Pick<RecipientCounts, 'invalid' | 'duplicate'>) => {
    throw new Error(`${invalid} invalid, ${duplicate} duplicate`);
  };
  await expect(distribute(FIELDS, { check })).rejects.toThrow('1 invalid, 1 duplicate');
  expect(await rows()).toEqual([]);
});

it('a wave that is no number is none, also in a list that takes any text there', async () => {
  const fields = [...FIELDS.slice(0, 2), { ...field('Wave', 'text', { role: 'wave_id' }), ordinal: 3 }];
  await stage(['a@x.example;6000;7', 'b@x.example;6000;seven'], fields);
  await distribute(fields);
  expect((await rows()).map(({ wave_id, status }) => [wave_id, status])).toEqual([
    [7n, 'queued'],
    [null, 'queued'],
  ]);
});

it('a row that is a duplicate of a suppressed one is a duplicate', async () => {
  await db.pool.query(`INSERT INTO suppression (client_id, address, reason) VALUES (5000, 'b@x.example', 'complaint')`);
  await stage(['a@x.example;6000;;;', 'B@x.example ;6000;;;', 'c@y.example;6000;;;', 'b@x.example;6000;;;']);
  await distribute();
  expect((await rows()).map(({ reason, status }) => reason ?? status)).toEqual([
    'queued',
    'complaint',
    'queued',
    'duplicate',
  ]);
});

it('rows with bad values are told with line, column and what is right', async () => {
  await stage(['a@x.example;6000;;;', 'bad;6000;;;', 'b@x.example;6000;;toolong;', 'c@x.example;6000;;;yesterday']);
  expect(await selectBadRows(db.pool, IMPORT, FIELDS)).toMatchObject([
    { code: 'bad_value', line: 2, column: 1, message: expect.stringContaining('Email') },
    { code: 'bad_value', line: 3, column: 4, message: expect.stringContaining('longer than 5 characters') },
    { code: 'bad_value', line: 4, column: 5, message: expect.stringContaining('YYYY-MM-DD') },
  ]);
});

describe('duplicates', () => {
  const statuses = async () => (await rows()).map(({ status }) => status);

  it('the first row wins, per source mailing, case and white space apart', async () => {
    await db.pool.query(`
      INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, resend_of)
        VALUES (21000, 5000, 10000, 6000, 7000, 8000, 'other', false, ${MAILING})`);
    await stage([
      'a@x.example;6000;;;',
      'A@X.example ;6000;;;',
      'a@x.example;6001;;;',
      '"\u00a0a@x.example\t";6001;;;',
      'b@x.example;6000;;;',
    ]);
    await distributeStaging(db.pool, {
      importId: IMPORT,
      clientId: 5_000n,
      fields: FIELDS,
      mailings: new Map([
        ['6000', MAILING],
        ['6001', 21_000n],
      ]),
    });
    expect(await statuses()).toEqual(['queued', 'duplicate', 'queued', 'duplicate', 'queued']);
  });

  it('a bad row is no first row, and never a duplicate', async () => {
    await stage(['a@x.example;6000;x;;', 'a@x.example;6000;;;', 'a@x.example;6000;;toolong;', 'a@x.example;6000;;;']);
    await distribute();
    expect(await statuses()).toEqual(['invalid', 'queued', 'invalid', 'duplicate']);
  });

  it('is looked for among the lines that may repeat an address, against all lines before', async () => {
    await stage([
      'a@x.example;6000;x;;',
      'A@x.example;6000;;;',
      'b@x.example;6000;;;',
      'a@x.example ;6000;;;',
      'c@x.example;6000;;;',
      'a@x.example;6000;;toolong;',
    ]);
    await distribute(FIELDS, { maybeRepeated: [2, 4, 5, 6] });
    expect(await statuses()).toEqual(['invalid', 'queued', 'queued', 'duplicate', 'queued', 'invalid']);
  });

  it('two ways to write one BROADMAIL_ID are one source mailing', async () => {
    await stage(['a@x.example;6000;;;', 'a@x.example;06000;;;']);
    await distributeStaging(db.pool, {
      importId: IMPORT,
      clientId: 5_000n,
      fields: FIELDS,
      mailings: new Map([
        ['6000', MAILING],
        ['06000', MAILING],
      ]),
    });
    expect(await statuses()).toEqual(['queued', 'duplicate']);
  });
});

it('what a file names: one line per source mailing and time, times compared as instants', async () => {
  const fields = [...FIELDS.slice(0, 2), { ...field('SEND_AT', 'timestamp', { role: 'send_at' }), ordinal: 3 }];
  await stage(
    [
      'a@x.example;6000;2026-11-30T09:00+01:00',
      'b@x.example;6000;2026-11-30T08:00Z',
      'c@x.example;6000;',
      'd@x.example;6000;soon',
      'e@x.example;;',
    ],
    fields,
  );
  expect(await selectNamedSourceMailings(db.pool, IMPORT, fields)).toEqual([
    { broadmailId: '6000', sendAt: new Date('2026-11-30T08:00Z'), sendAtBad: false, line: 1n, rows: 2n },
    { broadmailId: '6000', sendAt: null, sendAtBad: false, line: 3n, rows: 1n },
    { broadmailId: '6000', sendAt: null, sendAtBad: true, line: 4n, rows: 1n },
    { broadmailId: null, sendAt: null, sendAtBad: false, line: 5n, rows: 1n },
  ]);
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
    `a@x.${'y'.repeat(63)}.example`,
    `a@x.${'y'.repeat(64)}.example`,
    `a@${'y'.repeat(20)}.${'z'.repeat(63)}.${'x'.repeat(64)}`,
  ];
  await stage(addresses.map((address) => `"${address.replaceAll('"', '""')}";6000;;;`));
  await distribute();
  const verdicts = (await rows()).map(({ status }) => status !== 'invalid');
  expect(verdicts).toEqual(addresses.map((address) => addressProblem(address) === null));
});

it('staging leaves nothing behind', async () => {
  await stage(['a@x.example;6000;;;']);
  await dropStaging(db.pool, IMPORT);
  expect((await db.pool.query(`SELECT 1 FROM pg_class WHERE relname LIKE 'staging%'`)).rowCount).toBe(0);
});
