import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { finishExport, planExport } from '@postloop/db';
import { useTestDatabase } from '@postloop/db/testing';
import { freePort } from '@postloop/local-stack';
import { connectSftp } from '@postloop/sftp';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { sweepFiles } from './sweep-files.js';
import { CLIENT, FILE, IMPORT, insertClaimedFile } from './testing/journal-fixture.js';
import { stoppedClock, testMetrics } from './testing/scheduler-fixture.js';
import { openSftp, type SftpFixture } from './testing/sftp-fixture.js';

const { db } = await useTestDatabase();
let sftp: SftpFixture;
beforeAll(async () => {
  sftp = await openSftp();
});
afterAll(() => sftp[Symbol.asyncDispose]());

const NOW = new Date('2026-12-31T12:00:00Z');
const DAY_MS = 86_400_000;
const before = (days: number) => new Date(NOW.getTime() - days * DAY_MS);

/** The name of another import of the client that ended long ago. */
const OTHER = '20261101120000_subscribers.csv';

beforeEach(async () => {
  rmSync(join(sftp.root, 'acme'), { recursive: true, force: true });
  await insertClaimedFile(db);
  await db.pool.query(`UPDATE import SET status = 'started'`);
  await db.pool.query(
    `INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) SELECT 40000 + number * 1000, ${CLIENT}, directory::inbox_directory, $1, 1, now(), 'failed'
       FROM unnest(ARRAY['import', 'test', 'products']) WITH ORDINALITY AS d(directory, number)`,
    [OTHER],
  );
  await db.pool.query('UPDATE import SET changed_at = $1', [before(31)]);
});

function put(path: string, age: Date): void {
  const file = join(sftp.root, 'acme', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, path);
  utimesSync(file, age, age);
}

const left = () =>
  readdirSync(join(sftp.root, 'acme'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(sftp.root, 'acme').length + 1))
    .sort();

const scheduler = (connect = sftp.connect) => ({
  db,
  connect: vi.fn(connect),
  clock: stoppedClock(NOW.toISOString()),
  log: { info: vi.fn(), warn: vi.fn() },
  metrics: testMetrics(),
});

it("removes Postloop's own files after 30 days, each where it belongs, and no other", async () => {
  const run = await planExport(db, CLIENT, NOW);
  const name = '20261121_opens.csv.gz';
  await finishExport(db.pool, run.id, [{ kind: 'opens', name, rows: 0, bytes: 0, sha256: '' }]);
  const own = [
    'logs/20261130_postloop.log',
    `logs/${FILE}.log`,
    `logs/${FILE}.error.csv`,
    `logs/${OTHER}.error.json`,
    `logs/.${FILE}.log.part`,
    `export/${name}`,
    `export/.${name}.part`,
    `import/done/${FILE}`,
    `import/failed/${OTHER}`,
    `test/failed/${OTHER}`,
    `products/done/${OTHER}`,
  ];
  const foreign = [
    'logs/notes.log',
    'logs/20261130_postloop.log.bak',
    'logs/19990101000000_subscribers.csv.log',
    'export/20261122_opens.csv',
    'export/readme.txt',
    'import/done/notes.csv',
    `test/done/${FILE}`,
    `import/${FILE}`,
    `import/processing/${FILE}`,
    `export/${FILE}`,
  ];
  for (const path of [...own, ...foreign]) put(path, before(31));
  const young = own.map((path) => path.replace(/([^/]+)$/, 'young/$1'));
  for (const path of young) put(path, before(31)); // in a directory of somebody else

  await sweepFiles(scheduler());
  expect(left()).toEqual([...foreign, ...young].sort());
});

it('keeps what is younger: by its own time, and an upload by the time when it was dealt with', async () => {
  put(`import/done/${FILE}`, before(29));
  put(`import/failed/${OTHER}`, before(400));
  put('logs/20261202_postloop.log', before(29));
  await db.pool.query(`UPDATE import SET changed_at = $1 WHERE file_name = $2`, [before(29), OTHER]);
  await sweepFiles(scheduler());
  expect(left()).toHaveLength(3);
});

it('keeps the file that a stopped directory waits for', async () => {
  put(`import/failed/${FILE}`, before(31));
  put(`import/failed/${OTHER}`, before(31));
  await db.pool.query(
    `INSERT INTO inbox (client_id, directory, halted_at, import_id) VALUES (${CLIENT}, 'import', now(), ${IMPORT})`,
  );
  await sweepFiles(scheduler());
  expect(left()).toEqual([`import/failed/${FILE}`]);
});

it("looks once a day; the days are the client's choice", async () => {
  await db.pool.query(`UPDATE client SET settings = '{"retention": {"fileDays": 5}}'`);
  put('logs/20261224_postloop.log', before(6));
  put('logs/20261227_postloop.log', before(4.5));
  const deps = scheduler();
  await sweepFiles(deps);
  expect(left()).toEqual(['logs/20261227_postloop.log']);
  deps.clock.set(before(-0.9).toISOString());
  await sweepFiles(deps);
  expect(left()).toHaveLength(1);
  deps.clock.set(before(-1).toISOString());
  await sweepFiles(deps);
  expect(left()).toEqual([]);
});

it('a server that is away is tried again in ten minutes, and keeps no other client waiting', async () => {
  await db.pool.query(`INSERT INTO client (id, name, directory, sftp_account) VALUES (4000, 'Away', 'away', 'other')`);
  put('logs/20261101_postloop.log', before(31));
  const nobody = await freePort();
  const hostKey = `SHA256:${'A'.repeat(43)}`;
  const deps = scheduler((account) =>
    account === null
      ? sftp.connect(null)
      : connectSftp({ host: '127.0.0.1', port: nobody, username: 'x', password: 'x', hostKey }),
  );
  await sweepFiles(deps);
  expect(left()).toEqual([]);
  expect(deps.log.warn).toHaveBeenCalledOnce();
  await sweepFiles(deps);
  expect(deps.log.warn).toHaveBeenCalledOnce();
  deps.clock.set(new Date(NOW.getTime() + 10 * 60_000).toISOString());
  await sweepFiles(deps);
  expect(deps.log.warn).toHaveBeenCalledTimes(2);
});

it('of two schedulers that ask at the same moment one looks', async () => {
  const other = await db.pool.connect();
  await other.query('BEGIN');
  await other.query('INSERT INTO file_sweep VALUES ($1, $2)', [CLIENT, before(1)]);
  const deps = [scheduler(), scheduler()];
  const sweeps = Promise.all(deps.map(sweepFiles));
  await vi.waitUntil(async () => (await other.query(`SELECT 1 FROM pg_locks WHERE NOT granted`)).rowCount === 2);
  await other.query('COMMIT');
  other.release();
  await sweeps;
  expect(deps.flatMap(({ connect }) => connect.mock.calls)).toHaveLength(1);
});

it('what the journal told goes with the files, but nothing that is still to be told', async () => {
  await db.pool.query(`UPDATE journal SET created_at = $1, logged = kind <> 'import_failed', mailed_at = now()`, [
    before(31),
  ]);
  await sweepFiles(scheduler());
  const { rows } = await db.pool.query<{ kind: string }>('SELECT DISTINCT kind FROM journal');
  expect(rows).toEqual([{ kind: 'import_failed' }]);
});
