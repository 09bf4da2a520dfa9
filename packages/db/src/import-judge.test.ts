import { addressProblem } from '@postloop/mail-domain';
import { beforeEach, describe, expect, it } from 'vitest';
import { type RecipientCounts, selectBadRows } from './import-judge.js';
import type { ListField } from './recipient-list.js';
import { type ImportedRecords, importRecords } from './testing/import-records.js';
import { insertMailing, MAILING } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
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

const load = (
  records: string[],
  fields: ListField[] = FIELDS,
  more: Partial<ImportedRecords> = {},
): Promise<RecipientCounts> => importRecords(db, records, { fields, ...more });

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
  const counts = await load([
    ' Ada@x.example ;6000;77;"";2020-02-29',
    'ada@X.example;6000;;Bob;',
    'gone@x.example;6000;;;',
    'bad@;6000;;;',
    'ada@x.example;6000;;toolong;',
    'eve@x.example;6000;x;;',
    'ben@x.example;6000;;;2021-02-29',
  ]);
  expect(counts).toEqual({ queued: 1n, suppressed: 1n, invalid: 4n, duplicate: 1n });
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
    const records = values.map((value, i) => `r${i}@x.example;6000;${value}`);
    // As the importer tells it, and with every row looked at by PostgreSQL.
    for (const more of [{}, { doubtful: undefined }]) {
      await db.pool.query('TRUNCATE mailing_recipient');
      await load(records, fields, more);
      const verdicts = (await rows()).map(({ status }, i) => [values[i], status]);
      expect(verdicts).toEqual([
        ...taken.map((value) => [value, 'queued']),
        ...refused.map((value) => [value, 'invalid']),
      ]);
    }
  });

  it('a required value may be an empty string, not NULL', async () => {
    const fields = [...FIELDS.slice(0, 2), { ...field('Name', 'text', { required: true }), ordinal: 3 }];
    await load(['a@x.example;6000;""', 'b@x.example;6000;'], fields);
    expect((await rows()).map(({ reason }) => reason)).toEqual([null, 'missing:3']);
  });
});

it('what is wrong is counted before a row is changed, and may stop it all', async () => {
  const records = ['a@x.example;6000;;;', 'bad;6000;;;', 'a@x.example;6000;;;'];
  const check = ({ invalid, duplicate }: Pick<RecipientCounts, 'invalid' | 'duplicate'>) => {
    throw new Error(`${invalid} invalid, ${duplicate} duplicate`);
  };
  await expect(load(records, FIELDS, { check, maybeRepeated: undefined })).rejects.toThrow('1 invalid, 1 duplicate');
  expect(await rows()).toEqual([]);
});

it('a wave that is no number is none, also in a list that takes any text there', async () => {
  const fields = [...FIELDS.slice(0, 2), { ...field('Wave', 'text', { role: 'wave_id' }), ordinal: 3 }];
  await load(['a@x.example;6000;7', 'b@x.example;6000;seven'], fields);
  expect((await rows()).map(({ wave_id, status }) => [wave_id, status])).toEqual([
    [7n, 'queued'],
    [null, 'queued'],
  ]);
});

it('a row that is a duplicate of a suppressed one is a duplicate', async () => {
  await db.pool.query(`INSERT INTO suppression (client_id, address, reason) VALUES (5000, 'b@x.example', 'complaint')`);
  await load(['a@x.example;6000;;;', 'B@x.example ;6000;;;', 'c@y.example;6000;;;', 'b@x.example;6000;;;']);
  expect((await rows()).map(({ reason, status }) => reason ?? status)).toEqual([
    'queued',
    'complaint',
    'queued',
    'duplicate',
  ]);
});

it('rows with bad values are told with line, column and what is right', async () => {
  const records = ['a@x.example;6000;;;', 'bad;6000;;;', 'b@x.example;6000;;toolong;', 'c@x.example;6000;;;yesterday'];
  let told: unknown;
  await load(records, FIELDS, {
    check: async (_exceptions, sql) => {
      told = await selectBadRows(sql, FIELDS);
    },
  });
  expect(told).toMatchObject([
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
    const mailings = new Map([
      ['6000', MAILING],
      ['6001', 21_000n],
    ]);
    await load(
      [
        'a@x.example;6000;;;',
        'A@X.example ;6000;;;',
        'a@x.example;6001;;;',
        '"\u00a0a@x.example\t";6001;;;',
        'b@x.example;6000;;;',
      ],
      FIELDS,
      { mailings },
    );
    expect(await statuses()).toEqual(['queued', 'duplicate', 'queued', 'duplicate', 'queued']);
  });

  it('a bad row is no first row, and never a duplicate', async () => {
    await load(['a@x.example;6000;x;;', 'a@x.example;6000;;;', 'a@x.example;6000;;toolong;', 'a@x.example;6000;;;']);
    expect(await statuses()).toEqual(['invalid', 'queued', 'invalid', 'duplicate']);
  });

  it('is looked for among the lines that may repeat an address, against all lines before', async () => {
    const records = [
      'a@x.example;6000;x;;',
      'A@x.example;6000;;;',
      'b@x.example;6000;;;',
      'a@x.example ;6000;;;',
      'c@x.example;6000;;;',
      'a@x.example;6000;;toolong;',
    ];
    await load(records, FIELDS, { maybeRepeated: [2, 4, 5, 6] });
    expect(await statuses()).toEqual(['invalid', 'queued', 'queued', 'duplicate', 'queued', 'invalid']);
  });

  it('two ways to write one BROADMAIL_ID are one source mailing', async () => {
    const mailings = new Map([
      ['6000', MAILING],
      ['06000', MAILING],
    ]);
    await load(['a@x.example;6000;;;', 'a@x.example;06000;;;'], FIELDS, { mailings });
    expect(await statuses()).toEqual(['queued', 'duplicate']);
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
    `a@x.${'y'.repeat(63)}.example`,
    `a@x.${'y'.repeat(64)}.example`,
    `a@${'y'.repeat(20)}.${'z'.repeat(63)}.${'x'.repeat(64)}`,
  ];
  const records = addresses.map((address) => `"${address.replaceAll('"', '""')}";6000;;;`);
  await load(records, FIELDS, { doubtful: undefined });
  const verdicts = (await rows()).map(({ status }) => status !== 'invalid');
  expect(verdicts).toEqual(addresses.map((address) => addressProblem(address) === null));
});
