import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Database } from '@postloop/db';
import { openTestDatabase } from '@postloop/db/testing';
import { startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { connectSftp } from '@postloop/sftp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportResponses } from '../apps/response-exporter/dist/export-responses.js';
import { createMetrics } from '../apps/response-exporter/dist/metrics.js';
import { createContext } from '../packages/service-kit/dist/index.js';
import { CLIENT, insertExportClient, insertSentMailing } from './support/export-load.js';

const run = promisify(execFile);

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let sftp: Awaited<ReturnType<typeof startSftpServer>>;
let db: Database;
beforeAll(async () => {
  [opened, directory] = await Promise.all([openTestDatabase(), temporaryDirectory()]);
  const user = { username: 'postloop', password: 'secret', root: join(directory.path, 'root') };
  sftp = await startSftpServer({ hostKeyFile: join(directory.path, 'host_key'), users: [user] });
  db = opened.db;
});
afterAll(async () => {
  await sftp.stop();
  await opened[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** Names of links as somebody may write them. */
const NAMES = [
  'plain',
  '',
  ' spaces ',
  'semicolon; comma, bar| tab\t',
  '"quoted" and "',
  'two\nlines\n',
  '=1+1',
  '007',
  '9007199254740993',
  '1,5',
  '2026-07-01',
  'TRUE',
  'NULL',
  '\\.',
  "it's",
  'Größe żółw 漢字 🐢',
];

const HEADER = ['id', 'mailingId', 'mailingToUserId', 'mailingGroupId', 'name', 'url'];
const MAILING = 20_000_000n;

/** The links file as its reader should see it; `null` where nothing is known. */
const expected = () => [
  HEADER,
  ...NAMES.map((name, i) => [
    String(31_000 + i),
    String(MAILING),
    null,
    String(CLIENT),
    name,
    `https://x.example/${i}`,
  ]),
];
const withoutNulls = (rows: (string | null)[][]) => rows.map((row) => row.map((value) => value ?? ''));

/** @returns the path of the links file that a client with these settings gets */
async function exportLinks(settings: object): Promise<string> {
  await db.pool.query('TRUNCATE client, mailing_recipient, delivery, event, response CASCADE');
  await insertExportClient(db);
  await insertSentMailing(db, MAILING);
  await db.pool.query('DELETE FROM link');
  await db.pool.query(
    `INSERT INTO link (mailing_id, ordinal, id, purpose, name, url, personalised)
     SELECT $1, n, 30999 + n, 'click', name, 'https://x.example/' || n - 1, false FROM unnest($2::text[]) WITH ORDINALITY AS l(name, n)`,
    [MAILING, NAMES],
  );
  await db.pool.query('UPDATE client SET settings = $1', [{ export: settings }]);
  const { log, metrics, clock } = createContext('response-exporter', 'fatal');
  const access = { host: '127.0.0.1', port: sftp.port, username: 'postloop', password: 'secret' };
  const connect = () => connectSftp({ ...access, hostKey: sftp.hostKeyFingerprint });
  const deps = { db, connect, clock, log, metrics: createMetrics(metrics), signal: new AbortController().signal };
  const files = await exportResponses(deps, { clientId: CLIENT, resume: false });
  const { name = '' } = files?.find(({ kind }) => kind === 'links') ?? {};
  return join(directory.path, 'root', 'acme', 'export', name);
}

/** Settings whose files every reader should take, and what it is to be told of them. */
const FORMS = [
  { form: 'as it is by default', settings: {}, delimiter: ';', encoding: 'utf-8' },
  {
    form: 'with commas, CRLF, quotes always',
    settings: { delimiter: ',', lineBreak: 'crlf', quotes: 'always' },
    delimiter: ',',
    encoding: 'utf-8',
  },
  {
    form: 'with tabs and a byte order mark',
    settings: { delimiter: '\t', encoding: 'utf-8-bom' },
    delimiter: '\t',
    encoding: 'utf-8-sig',
  },
] as const;

describe.each(FORMS)('a response file $form comes back the same', ({ settings, delimiter, encoding }) => {
  let path: string;
  beforeEach(async () => {
    path = await exportLinks(settings);
  });

  it("in Python's csv module", async (context) => {
    const script = `import csv, json, sys
rows = csv.reader(open(sys.argv[1], newline='', encoding=sys.argv[3]), delimiter=sys.argv[2])
print(json.dumps(list(rows)))`;
    const python = await run('python3', ['-c', script, path, delimiter, encoding]).catch(missing);
    if (!python) return context.skip('no python3 on this machine');
    expect(JSON.parse(python.stdout)).toEqual(withoutNulls(expected()));
  });

  it('in COPY FROM, where NULL and the empty string stay apart', async () => {
    await db.pool.query(
      `DROP TABLE IF EXISTS back; CREATE TABLE back (${HEADER.map((name) => `"${name}" text`).join(', ')})`,
    );
    await db.pool.query(
      `COPY back FROM '${path}' WITH (FORMAT csv, DELIMITER '${delimiter}', HEADER true, ENCODING 'UTF8')`,
    );
    const { rows } = await db.pool.query<Record<string, string | null>>('SELECT * FROM back ORDER BY id');
    expect([HEADER, ...rows.map((row) => HEADER.map((name) => row[name]))]).toEqual(expected());
  });

  it('in LibreOffice Calc', async (context) => {
    const output = join(directory.path, 'calc');
    mkdirSync(output, { recursive: true });
    const columns = HEADER.map((_, i) => `${i + 1}/2`).join('/'); // all of them text
    const input = `CSV:${delimiter.charCodeAt(0)},34,76,1,${columns},0,true,false`;
    const office = await run('soffice', [
      `-env:UserInstallation=file://${join(directory.path, 'profile')}`,
      '--headless',
      `--infilter=${input}`,
      '--convert-to',
      'csv:Text - txt - csv (StarCalc):59,34,76,1,,0,true,true',
      '--outdir',
      output,
      path,
    ]).catch(missing);
    if (!office) return context.skip('no soffice on this machine (Debian: libreoffice-calc-nogui)');
    const script =
      'import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8"), delimiter=";"))))';
    const name = path.split('/').at(-1) ?? '';
    const python = await run('python3', ['-c', script, join(output, name)]).catch(missing);
    if (!python) return context.skip('no python3 on this machine');
    expect(JSON.parse(python.stdout)).toEqual(withoutNulls(expected()));
  });
});

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
