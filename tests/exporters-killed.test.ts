import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeRecord } from '@postloop/csv-dialect';
import { type Database, type ExportRun, repeatExport, selectExports } from '@postloop/db';
import { openTestDatabase } from '@postloop/db/testing';
import { startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exporterRounds } from './support/env.js';
import { CLIENT, insertExportClient, insertSentMailing, writeEvents } from './support/export-load.js';
import { type Random, seededRandom } from './support/random.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let sftp: Awaited<ReturnType<typeof startSftpServer>>;
let db: Database;
beforeAll(async () => {
  [opened, directory] = await Promise.all([openTestDatabase(), temporaryDirectory()]);
  const user = { username: 'postloop', password: 'secret', root: join(directory.path, 'root') };
  sftp = await startSftpServer({ hostKeyFile: join(directory.path, 'host_key'), users: [user] });
  db = opened.db;
  await insertExportClient(db);
});
afterAll(async () => {
  await sftp.stop();
  await opened[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const SEED = 20_260_714;
const PER_FILE = ['exporter.after-upload', 'exporter.after-rename'];
const ONCE = [
  'exporter.after-plan',
  'exporter.before-rename',
  'exporter.between-renames',
  'exporter.before-done',
] as const;

/** Where an exporter dies: at a named place, after some time wherever it is, or not at all. */
function fateOf(random: Random): { killPoint?: string; afterMs?: number } {
  switch (random.below(5)) {
    case 0:
    case 1:
      return { killPoint: `${random.of(PER_FILE)}:${1 + random.below(7)}` };
    case 2:
      return { killPoint: random.of(ONCE) };
    case 3:
      return { afterMs: random.below(150) };
    default:
      return {};
  }
}

function startExporter(options: { resume: boolean; killPoint?: string | undefined }): ChildProcess {
  const access = { host: '127.0.0.1', port: sftp.port, username: 'postloop', password: 'secret' };
  const job = {
    url: opened.url,
    sftp: { ...access, hostKey: sftp.hostKeyFingerprint },
    clientId: CLIENT.toString(),
    ...options,
  };
  return fork(join(import.meta.dirname, 'support', 'one-export.mjs'), [JSON.stringify(job)]);
}

/** One job of an exporter, who may die of it. */
async function exporter(resume: boolean, { killPoint, afterMs }: ReturnType<typeof fateOf>): Promise<void> {
  const child = startExporter({ resume, killPoint });
  const exited = once(child, 'exit');
  if (afterMs !== undefined) {
    await Promise.race([once(child, 'message'), exited]);
    await pause(afterMs);
    child.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  if (signal !== 'SIGKILL') expect(code).toBe(0);
}

const runs = () => selectExports(db.pool, CLIENT);
const folder = () => join(directory.path, 'root', 'acme', 'export');
const sha256Of = (name: string) =>
  createHash('sha256')
    .update(readFileSync(join(folder(), name)))
    .digest('hex');

/** The rows of all published files of some kinds, by the names of their columns. */
function rowsOf(exports: readonly ExportRun[], ...kinds: string[]): Record<string, string | null>[] {
  const files = exports.flatMap((run) => run.files).filter(({ kind }) => kinds.includes(kind));
  return files.flatMap(({ name }) => {
    const [header = '', ...records] = readFileSync(join(folder(), name), 'utf8').split('\n').slice(0, -1);
    const columns = header.split(';');
    return records.map((record) => {
      const values = decodeRecord(Buffer.from(record));
      return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null]));
    });
  });
}

const hashesOf = (exports: readonly ExportRun[]) =>
  Object.fromEntries(exports.flatMap(({ files }) => files.map(({ name, sha256 }) => [name, sha256])));

const rounds = exporterRounds();

it(
  `two exporters at once, killed at random ${rounds} times while events come in: each event once, and repeats are the same bytes`,
  async () => {
    const random = seededRandom(SEED);
    const mailings = [20_000_000n];
    await insertSentMailing(db, 20_000_000n);
    const stop = new AbortController();
    const writers = [1, 2, 3].map((i) => writeEvents(db, mailings, seededRandom(SEED + i), stop.signal));
    for (let round = 0; round < rounds; round += 1) {
      if (round % 5 === 4) {
        const mailing = 20_000_000n + BigInt(round) * 100_000n;
        await insertSentMailing(db, mailing);
        mailings.push(mailing);
      }
      await Promise.all([exporter(random.below(4) === 0, fateOf(random)), exporter(false, fateOf(random))]);
    }
    stop.abort();
    await Promise.all(writers);
    await exporter(true, {});
    await exporter(false, {});

    const published = await runs();
    expect(published.every(({ status }) => status === 'done')).toBe(true);
    expect(published.length).toBeGreaterThan(rounds / 5);
    expect(readdirSync(folder()).sort()).toEqual(Object.keys(hashesOf(published)).sort());
    const told = rowsOf(published, 'clicks', 'opens', 'unsubscribes').map(({ eventId }) => eventId);
    const { rows } = await db.pool.query<{ id: string }>('SELECT id FROM event ORDER BY id');
    expect(told.sort()).toEqual(rows.map(({ id }) => id));
    expect(rowsOf(published, 'mailings').map(({ id }) => id)).toEqual(mailings.map(String));
    expect(rowsOf(published, 'mailingrecipients')).toHaveLength(mailings.length * 50);

    await changeWhatWasTold();
    await repeatAll(published, random);
    const repeated = await runs();
    expect(hashesOf(repeated)).toEqual(hashesOf(published));
    for (const [name, sha256] of Object.entries(hashesOf(published))) expect(sha256Of(name)).toBe(sha256);
  },
  rounds * 20_000 + 60_000,
);

/** Events are judged anew, and answers come that nobody waited for any more. */
async function changeWhatWasTold(): Promise<void> {
  await db.pool.query(`UPDATE event SET verdict = 'scanner', browser = 'Chrome'`);
  await db.pool.query(`UPDATE delivery SET status = 'could_not_be_sent' WHERE status = 'unknown'`);
}

/** Has all runs written again, by exporters that die of it, too. */
async function repeatAll(exports: readonly ExportRun[], random: Random): Promise<void> {
  for (const { id } of exports) expect(await repeatExport(db.pool, id)).toBe(true);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const killPoint = `${random.of(PER_FILE)}:${1 + random.below(7 * exports.length)}`;
    await Promise.all([exporter(true, { killPoint }), exporter(true, {})]);
  }
  await exporter(true, {});
}
