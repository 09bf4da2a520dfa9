import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Row } from '@postloop/csv-dialect';
import { findProgram, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addClient, openWorld, sendingApps, type TestClient, untilSent, upload, type World } from './support/world.js';

// Recipient files made by the tools that customers have. Each is started; where one is missing, its test says so.

const run = promisify(execFile);

let world: World;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps });
  directory = await temporaryDirectory();
  chmodSync(directory.path, 0o777); // PostgreSQL runs as another user
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** What is hard to write: separators, quotes, line breaks, other scripts, NULL beside an empty string, blanks at the ends. */
const NAMES: [first: string | null, last: string | null][] = [
  ['Ada', 'Lovelace'],
  ['Smith; "Jim"', "O'Neill"],
  ['two\nlines', '"'],
  ['Zoë 😀', '名前'],
  [' blanks ', ';;'],
  [null, 'no first name'],
  ['\\.', '=1+1'],
];

const rowsOf = (client: TestClient): Row[] =>
  NAMES.map(([first, last], i) => [
    `p${i}@${client.directory}.example`,
    String(client.sources[0]),
    String(i + 1),
    null,
    first,
    last,
  ]);

/** Uploads the bytes, waits for the mails. @returns the fields that the recipients have, by line */
async function importFile(client: TestClient, bytes: Buffer): Promise<Row[]> {
  const mailings = await untilSent(world, client, await upload(world, client, bytes));
  const { rows } = await world.db.pool.query<{ fields: Row }>(
    'SELECT fields FROM mailing_recipient WHERE mailing_id = ANY($1) ORDER BY line',
    [mailings],
  );
  return rows.map(({ fields }) => fields);
}

const PYTHON = `
import csv, json, sys
quoting = {'minimal': csv.QUOTE_MINIMAL, 'non-numeric': csv.QUOTE_NONNUMERIC}[sys.argv[3]]
with open(sys.argv[2], 'w', newline='', encoding=sys.argv[4]) as file:
    rows = json.load(open(sys.argv[1], encoding='utf-8'))
    csv.writer(file, delimiter=';', quoting=quoting).writerows(rows)
`;

it.for([
  ['as it comes: CRLF, quotes where needed', 'minimal', 'utf-8'],
  ['with a BOM, text in quotes', 'non-numeric', 'utf-8-sig'],
] as const)("Python's csv module, %s", async ([_what, quoting, encoding], context) => {
  const python = findProgram(['python3']);
  if (!python) return context.skip('python3 is not installed');
  const client = await addClient(world, `python-${quoting}`);
  // It writes None as "" when it quotes text: a file without NULL then.
  const rows = rowsOf(client)
    .filter((row) => quoting === 'minimal' || row[4] !== null)
    .map((row) => (quoting === 'minimal' ? row : row.map((value, i) => (i === 3 ? 'Ms' : value))));
  const given = join(directory.path, 'rows.json');
  const made = join(directory.path, 'python.csv');
  const numeric = (row: Row) => row.map((value, i) => (i === 1 || i === 2 ? Number(value) : value));
  writeFileSync(given, JSON.stringify(rows.map(numeric)));
  await run(python, ['-c', PYTHON, given, made, quoting, encoding]);
  expect(await importFile(client, readFileSync(made))).toEqual(rows);
});

it("PostgreSQL's COPY", async () => {
  const client = await addClient(world, 'copy');
  const rows = rowsOf(client).map((row, i) => (i === 0 ? row.with(3, '') : row));
  const made = join(directory.path, 'copy.csv');
  const { pool } = world.db;
  await pool.query(
    'CREATE TABLE made_elsewhere (email text, broadmail_id bigint, wave_id bigint, salutation text, first text, last text)',
  );
  for (const row of rows) await pool.query('INSERT INTO made_elsewhere VALUES ($1, $2, $3, $4, $5, $6)', row);
  await pool.query(`COPY made_elsewhere TO '${made}' (FORMAT csv, DELIMITER ';')`);
  expect(await importFile(client, readFileSync(made))).toEqual(rows);
});

it('LibreOffice Calc', async (context) => {
  const office = findProgram(['soffice']);
  if (!office) return context.skip('soffice is not installed (Debian: libreoffice-calc-nogui)');
  const client = await addClient(world, 'office');
  // A sheet knows no difference between NULL and an empty string, and keeps line breaks as they are.
  const rows = rowsOf(client);
  const sheet = join(directory.path, 'office.fods');
  writeFileSync(sheet, flatSheet(rows));
  // Field separator, text delimiter, UTF-8, first line, column formats, language, quote all text, detect numbers, as shown.
  const filter = 'csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false';
  const profile = `-env:UserInstallation=${pathToFileURL(join(directory.path, 'profile')).href}`;
  await run(office, [profile, '--headless', '--convert-to', filter, '--outdir', directory.path, sheet]);
  expect(await importFile(client, readFileSync(join(directory.path, 'office.csv')))).toEqual(rows);
});

/** A spreadsheet as one XML file (OpenDocument 1.3, part 3). */
function flatSheet(rows: readonly Row[]): string {
  const asXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  const spaced = (text: string) => asXml(text).replace(/^ | $/g, '<text:s/>');
  const cell = (value: string | null) =>
    value === null
      ? '<table:table-cell/>'
      : `<table:table-cell office:value-type="string">${value
          .split('\n')
          .map((line) => `<text:p>${spaced(line)}</text:p>`)
          .join('')}</table:table-cell>`;
  const body = rows.map((row) => `<table:table-row>${row.map(cell).join('')}</table:table-row>`).join('');
  const names = ['office', 'table', 'text'].map(
    (name) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?><office:document ${names.join(' ')} office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet><table:table table:name="Sheet1">${body}</table:table></office:spreadsheet></office:body></office:document>`;
}
