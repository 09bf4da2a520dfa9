import { createWriteStream } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { clientDirectories, inboxPaths } from '@postloop/contracts';
import {
  type Database,
  deployMigrations,
  openDatabase,
  upsertClient,
  upsertMasterList,
  upsertSourceMailing,
} from '@postloop/db';
import { type House, type Stack, startHouse, startStack, temporaryDirectory } from '@postloop/local-stack';
import { createProducer, type Producer, prepareQueueBackend } from '@postloop/queue';
import { connectSftp } from '@postloop/sftp';
import { share } from './shares.js';

const CLIENT = { name: 'Bench', directory: 'bench', timeZone: 'UTC', badRowShare: 0.02 };
/** Every hundredth row has an address that is none. */
const BAD_EVERY = 100;
const SMALL = 10;

interface Bench {
  stack: Stack;
  house: House;
  db: Database;
  producer: Producer;
  clientId: bigint;
  sourceId: bigint;
}

interface Run {
  rows: number;
  /** Peak of the importer's resident memory, which had imported nothing before. */
  peakMegabytes: number;
  seconds: number;
  statuses: Record<string, number>;
}

/**
 * `import-memory [--rows N]`: files of N rows (default one million) and of a tenth of them, a row in a hundred bad, through
 * SFTP into mailing recipients; the importer's peak memory with each, and its speed as a share of PostgreSQL's COPY of the same
 * rows: `ofCopy` into a table of text columns, `ofIndexedCopy` of the finished recipients into a table with their indexes.
 */
export async function importMemory(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { rows: { type: 'string', default: '1000000' } } });
  const rows = Number(values.rows);
  await using directory = await temporaryDirectory();
  await using bench = await openBench(directory.path);
  const small = await importRows(bench, rows / SMALL);
  const large = await importRows(bench, rows);
  const copySeconds = await copyText(bench, directory.path, rows);
  const indexedSeconds = await copyIndexed(bench, directory.path);
  for (const run of [small, large])
    console.log(
      `${run.rows} rows: ${run.seconds.toFixed(1)} s, importer's peak ${run.peakMegabytes} MB, ${JSON.stringify(run.statuses)}`,
    );
  console.log(`COPY ${copySeconds.toFixed(2)} s, COPY with indexes ${indexedSeconds.toFixed(2)} s`);
  console.log(
    JSON.stringify({
      rows,
      statuses: large.statuses,
      peakMegabytes: large.peakMegabytes,
      peakMegabytesOfTenth: small.peakMegabytes,
      growth: share(large.peakMegabytes - small.peakMegabytes, small.peakMegabytes),
      rowsPerSecond: Math.round(rows / large.seconds),
      ofCopy: share(copySeconds, large.seconds),
      ofIndexedCopy: share(indexedSeconds, large.seconds),
    }),
  );
}

async function openBench(dir: string): Promise<Bench & AsyncDisposable> {
  const stack = await startStack({ dir, queue: 'auto' });
  await deployMigrations(stack.databaseUrl);
  const { redis, databaseUrl } = stack;
  const queue = redis
    ? ({ backend: 'redis', url: redis.url, prefix: 'postloop' } as const)
    : ({ backend: 'postgres', url: databaseUrl, prefix: 'postloop' } as const);
  await prepareQueueBackend(queue);
  const house = await startHouse(stack, { dir, env: { STILLNESS_MS: '50' }, apps: ['sftp-ingest'] });
  const db = openDatabase({ url: databaseUrl, poolMax: 4, onError: () => undefined });
  const producer = createProducer(queue, { warn: () => undefined });
  return {
    ...{ stack, house, db, producer },
    ...(await addClient(db, house)),
    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
      await house.stop();
      await stack.stop();
    },
  };
}

async function addClient(db: Database, { env }: House): Promise<Pick<Bench, 'clientId' | 'sourceId'>> {
  const never = '0 0 1 1 *';
  const { id: clientId } = await upsertClient(db, CLIENT, { inbox_poll: never, response_export: never });
  const text = { type: 'varchar', length: 255, required: false, role: null } as const;
  const id = { type: 'bigint', length: null, required: false } as const;
  const listId = await upsertMasterList(db, clientId, 'master', [
    { ...text, name: 'Email', role: 'email', required: true },
    { ...id, name: 'BROADMAIL_ID', role: 'broadmail_id' },
    { ...id, name: 'WAVE_ID', role: 'wave_id' },
    ...['Salutation', 'First name', 'Last name'].map((name) => ({ ...text, name })),
  ]);
  const { id: sourceId } = await upsertSourceMailing(db, {
    ...{ clientId, listId, name: 'news', subject: 'News', fromName: 'Shop', fromAddress: 'news@shop.example' },
    ...{ replyTo: null, bodyFormat: 'html', body: '<p>Hello</p>', textBody: null, linkTracking: true },
  });
  const { SFTP_PORT, SFTP_USERNAME: username = '', SFTP_PASSWORD: password = '', SFTP_HOST_KEY: hostKey = '' } = env;
  await using sftp = await connectSftp({ host: '127.0.0.1', port: Number(SFTP_PORT), username, password, hostKey });
  await sftp.makeDirectories(clientDirectories(CLIENT.directory));
  return { clientId, sourceId };
}

/** Uploads a file and waits until its rows are stored, by an importer of its own. */
async function importRows(bench: Bench, rows: number): Promise<Run> {
  const { house, stack, db, producer, clientId } = bench;
  const importer = await house.start('importer');
  const name = `${String(20_260_101_000_000 + rows)}_subscribers.csv`;
  const inbox = join(stack.sftpRoot, inboxPaths(CLIENT.directory, 'import').inbox);
  await writeFile(bench, rows, join(inbox, `${name}.tmp`));
  await rename(join(inbox, `${name}.tmp`), join(inbox, name));
  const start = performance.now();
  await producer.enqueue('inboxPoll', { v: 1, clientId });
  let status = '';
  while (status !== 'imported') {
    await pause(20);
    const found = await db.pool.query('SELECT status, faults FROM import WHERE file_name = $1', [name]);
    status = found.rows[0]?.status ?? '';
    if (status === 'failed') throw new Error(JSON.stringify(found.rows[0]?.faults[0]));
  }
  const took = (performance.now() - start) / 1_000;
  const peakMegabytes = await peakOf(importer.pid);
  await importer.stop();
  return { rows, peakMegabytes, seconds: took, statuses: await statusesOf(bench, name, rows) };
}

/** Linux: the high-water mark of the resident set. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
}

async function statusesOf({ db }: Bench, fileName: string, rows: number): Promise<Record<string, number>> {
  const { rows: found } = await db.pool.query<{ status: string; count: number }>(
    `SELECT r.status, count(*)::int AS count FROM import i JOIN mailing m ON m.import_id = i.id JOIN mailing_recipient r ON r.mailing_id = m.id
      WHERE i.file_name = $1 GROUP BY 1 ORDER BY 1`,
    [fileName],
  );
  const told = found.reduce((sum, { count }) => sum + count, 0);
  if (told !== rows) throw new Error(`${rows} rows came in, ${told} have a status`);
  return Object.fromEntries(found.map(({ status, count }) => [status, count]));
}

function writeFile({ sourceId }: Bench, rows: number, path: string): Promise<void> {
  return pipeline(Readable.from(lines(sourceId, rows)), createWriteStream(path));
}

/** Addresses in no order, so that their index is met as in life. */
function* lines(sourceId: bigint, rows: number): Generator<string> {
  for (let row = 0; row < rows; row += 1_000) {
    const some = Array.from({ length: Math.min(1_000, rows - row) }, (_, i) => {
      const mixed = (Math.imul(row + i, 0x9e37_79b1) >>> 0).toString(36);
      const address = (row + i) % BAD_EVERY === 0 ? mixed : `${mixed}.${row + i}@mail${(row + i) % 50}.example`;
      return `${address};${sourceId};77;Ms;Ada ${row + i};"Lovelace; ${mixed}"\n`;
    });
    yield some.join('');
  }
}

async function copyText(bench: Bench, dir: string, rows: number): Promise<number> {
  const { pool } = bench.db;
  const path = join(dir, 'postgres', 'data', 'rows.csv');
  await writeFile(bench, rows, path);
  await pool.query(
    'CREATE TABLE as_text (email text, broadmail_id text, wave_id text, salutation text, first text, last text)',
  );
  return seconds(() => pool.query(`COPY as_text FROM '${path}' (FORMAT csv, DELIMITER ';')`));
}

async function copyIndexed({ db: { pool } }: Bench, dir: string): Promise<number> {
  const path = join(dir, 'postgres', 'data', 'recipients');
  const { rows: found } = await pool.query('SELECT id FROM mailing ORDER BY id DESC LIMIT 1');
  await pool.query(
    `COPY (SELECT * FROM mailing_recipient WHERE mailing_id = ${found[0]?.id} ORDER BY id) TO '${path}'`,
  );
  await pool.query('CREATE TABLE as_recipients (LIKE mailing_recipient INCLUDING ALL)');
  return seconds(() => pool.query(`COPY as_recipients FROM '${path}'`));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}
