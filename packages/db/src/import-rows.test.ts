import fc from 'fast-check';
import { beforeEach, expect, it } from 'vitest';
import { selectNamedSourceMailings } from './import-named.js';
import { RecipientRows } from './import-rows.js';
import type { FieldRole, ListField } from './recipient-list.js';
import { importRecords } from './testing/import-records.js';
import { insertMailing, MAILING } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query('TRUNCATE mailing_recipient');
});

const fieldsOf = (...fields: [ListField['type'], FieldRole | null][]): ListField[] =>
  fields.map(([type, role], index) => ({
    ...{ ordinal: index + 1, name: `f${index}`, type, role, length: null, required: false },
  }));
const FIELDS = fieldsOf(['text', 'email'], ['text', 'broadmail_id'], ['text', null], ['text', null]);

/** As the dialect writes it: always quoted, or as it stands where it may. */
const written = (value: string | null, quoted: boolean): string =>
  value === null ? '' : quoted || value === '' || /[";\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

const cell = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ';', '\n', '\r', '\\', '{', ',', 'ü', '€', '😀') }));

it('whatever stands in a field is stored as it stands, NULL apart from an empty string', async () => {
  const rows = fc.array(fc.tuple(cell, cell, fc.boolean()), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(rows, async (values) => {
      await db.pool.query('TRUNCATE mailing_recipient');
      const records = values.map(
        ([one, two, quoted], i) => `r${i}@x.example;6000;${written(one, quoted)};${written(two, quoted)}`,
      );
      await importRecords(db, records, { fields: FIELDS });
      const { rows: stored } = await db.pool.query('SELECT fields FROM mailing_recipient ORDER BY line');
      expect(stored).toEqual(values.map(([one, two], i) => ({ fields: [`r${i}@x.example`, '6000', one, two] })));
    }),
    { numRuns: 25 },
  );
});

it('rows longer than a chunk, and many short ones, are whole and in order', async () => {
  const long = 'x'.repeat(400_000);
  const records = Array.from({ length: 3_000 }, (_, i) => `r${i}@x.example;6000;${i % 1_000 === 7 ? long : i};`);
  await importRecords(db, records, { fields: FIELDS });
  const { rows } = await db.pool.query(
    `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, count(*) FILTER (WHERE length(fields[3]) = 400000)::int AS long,
            bool_and(line = place) AS "inOrder" FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM mailing_recipient) r`,
  );
  expect(rows).toEqual([{ rows: 3_000, ids: 3_000, long: 3, inOrder: true }]);
});

it.each([
  ['77', 77n],
  ['-007', -7n],
  ['', null],
  ['""', null],
  ['7.0', null],
  [`${'0'.repeat(40)}9223372036854775807`, 9_223_372_036_854_775_807n],
  ['9223372036854775808', null],
  ['-9223372036854775808', -9_223_372_036_854_775_808n],
])('the wave %s is %s', async (wave, id) => {
  const fields = fieldsOf(['text', 'email'], ['text', 'broadmail_id'], ['text', 'wave_id']);
  await importRecords(db, [`a@x.example;6000;${wave}`], { fields });
  expect((await db.pool.query('SELECT wave_id AS id FROM mailing_recipient')).rows).toEqual([{ id }]);
});

it.each(['\u00a0a@x.example\ufeff', ' \t a@x.example \t ', '"\r\na@x.example\n"', 'a@x.example'])(
  'of %j the address is what stands between blanks',
  async (written) => {
    await importRecords(db, [`${written};6000;;`], { fields: FIELDS });
    expect((await db.pool.query('SELECT email FROM mailing_recipient')).rows).toEqual([{ email: 'a@x.example' }]);
  },
);

it('an address of blanks alone is empty', async () => {
  await importRecords(db, [' \u00a0\t ;6000;;'], { fields: FIELDS });
  const { rows } = await db.pool.query('SELECT email, status FROM mailing_recipient');
  expect(rows).toEqual([{ email: '', status: 'invalid' }]);
});

function rowsOf(records: readonly string[], fields: ListField[], known = new Map([['6000', 1n]])): RecipientRows {
  const rows = new RecipientRows({ fields, mailingOf: (id) => known.get(id ?? '') });
  for (const [index, record] of records.entries()) {
    const bytes = Buffer.from(record);
    rows.add(bytes, 0, bytes.length, index + 1);
  }
  return rows;
}

const WITH_TIME = fieldsOf(['text', 'email'], ['bigint', 'broadmail_id'], ['timestamp', 'send_at']);

it('what a file names: one line per source mailing and time, times compared as instants', async () => {
  const { named } = rowsOf(
    [
      'a@x.example;6000;2026-11-30T09:00+01:00',
      'b@x.example;6000;2026-11-30T08:00Z',
      'c@x.example;6000;',
      'd@x.example;6000;soon',
      'e@x.example;;',
      'f@x.example;6000;2026-02-30T08:00Z',
      'g@x.example;"";',
      'h@x.example;6000;2026-11-30T08:00Z',
    ],
    WITH_TIME,
  );
  expect(await selectNamedSourceMailings(db.pool, named.texts)).toEqual([
    { broadmailId: '6000', sendAt: new Date('2026-11-30T08:00Z'), sendAtBad: false, line: 1n, rows: 3n },
    { broadmailId: '6000', sendAt: null, sendAtBad: false, line: 3n, rows: 1n },
    { broadmailId: '6000', sendAt: null, sendAtBad: true, line: 4n, rows: 2n },
    { broadmailId: null, sendAt: null, sendAtBad: false, line: 5n, rows: 1n },
    { broadmailId: '', sendAt: null, sendAtBad: false, line: 7n, rows: 1n },
  ]);
});

it('times that are none are one, and too many names are told', () => {
  const bad = rowsOf(
    Array.from({ length: 20_000 }, (_, i) => `a${i}@x.example;6000;soon ${i}`),
    WITH_TIME,
  );
  expect(bad.named).toMatchObject({ texts: [{ line: 1, rows: 20_000 }], tooMany: false });
  const many = rowsOf(
    Array.from({ length: 10_001 }, (_, i) => `a${i}@x.example;${i};`),
    WITH_TIME,
  );
  expect(many.named.tooMany).toBe(true);
});

it('from a row on that the file cannot be accepted with nothing is stored', () => {
  const first = ['a@x.example;6000;;'];
  const size = rowsOf(first, FIELDS).end().length;
  expect(rowsOf([...first, 'b@x.example;6001;;', 'c@x.example;6000;;'], FIELDS).end()).toHaveLength(size);
});

it('a COPY that PostgreSQL refuses half way stores nothing and leaves its connection in order', async () => {
  const nowhere = new Map([
    ['6000', MAILING],
    ['6001', 2n ** 62n],
  ]);
  const records = Array.from({ length: 5_000 }, (_, i) => `r${i}@x.example;${i === 2_500 ? 6001 : 6000};;`);
  const { totalCount } = db.pool;
  await expect(importRecords(db, records, { fields: FIELDS, mailings: nowhere })).rejects.toThrow(/no partition/);
  expect((await db.pool.query('SELECT count(*)::int AS rows FROM mailing_recipient')).rows).toEqual([{ rows: 0 }]);
  expect(db.pool.totalCount).toBe(totalCount);
});

it('PostgreSQL is asked about no row of usual values', () => {
  const types = ['bigint', 'integer', 'decimal', 'boolean', 'date', 'timestamp', 'varchar', 'text'] as const;
  const fields = fieldsOf(
    ['text', 'email'],
    ['bigint', 'broadmail_id'],
    ...types.map((type): [ListField['type'], null] => [type, null]),
  );
  const records = [
    'o\'neill+news@mail-1.example.org;6000;12;-7;12.50;yes;1976-02-13;2026-11-21 10:00;Zoë;"a; b"',
    'a@x.example;6000;;;;;;;;',
  ];
  expect(rowsOf(records, fields).doubtful.lines).toEqual([]);
});
