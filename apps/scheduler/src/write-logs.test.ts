import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileFault } from '@postloop/contracts';
import { endImport, finishExport, orderMailing, planExport } from '@postloop/db';
import { useTestDatabase } from '@postloop/db/testing';
import { freePort } from '@postloop/local-stack';
import { connectSftp } from '@postloop/sftp';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  acceptFile,
  CLIENT,
  FILE,
  finishFile,
  IMPORT,
  insertClaimedFile,
  MAILING,
  startFile,
} from './testing/journal-fixture.js';
import { stoppedClock, testMetrics } from './testing/scheduler-fixture.js';
import { openSftp, type SftpFixture } from './testing/sftp-fixture.js';
import { writeLogs } from './write-logs.js';

const { db } = await useTestDatabase();
let sftp: SftpFixture;
beforeAll(async () => {
  sftp = await openSftp();
});
afterAll(() => sftp[Symbol.asyncDispose]());
beforeEach(() => {
  rmSync(join(sftp.root, 'acme'), { recursive: true, force: true });
  return insertClaimedFile(db);
});

const scheduler = (connect = sftp.connect) => ({
  db,
  connect: vi.fn(connect),
  clock: stoppedClock(new Date().toISOString()),
  log: { warn: vi.fn() },
  metrics: testMetrics(),
  pausedUntil: new Map<bigint, Date>(),
});

const logs = () => readdirSync(join(sftp.root, 'acme/logs')).sort();
const read = (name: string) => readFileSync(join(sftp.root, 'acme/logs', name), 'utf8');
/** Times taken off. */
const linesOf = (name: string) =>
  read(name)
    .split('\n')
    .map((line) => line.replace(/^[\d-]{10} [\d:]{8} {2}/, ''));

async function wholeFile() {
  await acceptFile(db);
  await startFile(db);
  await finishFile(db);
}

it('the log of a file tells it from the claim to the end of its mailings, and every row that is not sent to', async () => {
  await wholeFile();
  await writeLogs(scheduler());
  expect(linesOf(`${FILE}.log`)).toEqual([
    `# Acme, ${FILE}, times in Europe/Berlin`,
    '',
    `import ${IMPORT}: taken from import/, 1234 bytes`,
    `import ${IMPORT} of import/${FILE}: imported; 4 rows: 1 queued, 1 suppressed, 1 invalid, 1 duplicate`,
    `mailing ${MAILING} "news" of import/${FILE}: started; 1 recipient`,
    `mailing ${MAILING} "news" of import/${FILE}: finished; 1 sent`,
    'rows that are not sent to: 3',
    '  line 2: suppressed, unsubscribed',
    '  line 3: invalid, Email: this is not a deliverable e-mail address.',
    '  line 4: duplicate',
    '',
  ]);
});

it("a file that failed says why; the line breaks of others' words are not the log's", async () => {
  const fault: FileFault = {
    code: 'bad_value',
    line: 3,
    column: 2,
    message: 'x\n2026-01-01 00:00:00  import 1: imported',
    remedy: 'Mend it.',
  };
  await db.transaction((sql) => endImport(sql, IMPORT, 'failed', [fault, fault]));
  await writeLogs(scheduler());
  expect(linesOf(`${FILE}.log`)).toEqual([
    `# Acme, ${FILE}, times in Europe/Berlin`,
    '',
    `import ${IMPORT}: taken from import/, 1234 bytes`,
    `import/: no file is taken until ${FILE} is restarted or given up`,
    `import ${IMPORT} of import/${FILE}: failed, nothing was stored; line 3, column 2: x?2026-01-01 00:00:00  import 1: imported Mend it. (and 1 more)`,
    '',
  ]);
});

it("the log of the day is that of the client's zone, and holds exports too", async () => {
  await wholeFile();
  const run = await planExport(db, CLIENT, new Date());
  await finishExport(db.pool, run.id, [{ kind: 'opens', name: '20261121_opens.csv', rows: 7, bytes: 1, sha256: '' }]);
  // In Berlin this is the 22nd; and one entry of the day before.
  await db.pool.query(`UPDATE journal SET created_at = '2026-11-21T23:30:00Z'`);
  await db.pool.query(`UPDATE journal SET created_at = '2026-11-21T22:59:59Z' WHERE kind = 'import_imported'`);
  await writeLogs(scheduler());
  expect(logs()).toEqual([`${FILE}.log`, '20261121_postloop.log', '20261122_postloop.log']);
  expect(read('20261121_postloop.log').split('\n')).toEqual([
    '# Acme, 2026-11-21, times in Europe/Berlin',
    expect.stringMatching(/^2026-11-21 23:59:59 {2}import 10000 of .* imported/),
    '',
  ]);
  expect(linesOf('20261122_postloop.log').slice(1, -1)).toEqual([
    expect.stringContaining('started'),
    expect.stringContaining('finished'),
    `export ${run.id}: response files 20261121_opens.csv (7 rows)`,
  ]);
});

it('made anew from the database whenever there is news, and only then', async () => {
  await acceptFile(db);
  await writeLogs(scheduler());
  for (const name of logs()) writeFileSync(join(sftp.root, 'acme/logs', name), 'scribbled');
  const idle = scheduler();
  await writeLogs(idle);
  expect(idle.connect).not.toHaveBeenCalled();
  await startFile(db);
  await writeLogs(scheduler());
  for (const name of logs()) expect(read(name)).toMatch(/imported[\s\S]*started/);
});

it('an entry that commits late is not passed over', async () => {
  const late = await db.pool.connect();
  await late.query('BEGIN');
  await late.query(`UPDATE import SET status = 'empty' WHERE id = ${IMPORT}`);
  await startFile(db);
  await writeLogs(scheduler());
  expect(read(`${FILE}.log`)).not.toContain('empty');
  await late.query('COMMIT');
  late.release();
  await writeLogs(scheduler());
  expect(read(`${FILE}.log`)).toContain('empty');
});

it('what people order stands in the log', async () => {
  await acceptFile(db);
  await startFile(db);
  for (const order of ['pause', 'resume', 'cancel'] as const) await orderMailing(db, MAILING, order);
  await writeLogs(scheduler());
  expect(linesOf(`${FILE}.log`).filter((line) => line.startsWith('mailing'))).toEqual(
    ['started; 1 recipient', 'paused', 'resumed', 'cancelled; 1 cancelled'].map(
      (what) => `mailing ${MAILING} "news" of import/${FILE}: ${what}`,
    ),
  );
});

it('a server that is away delays, for its clients alone, and is not asked all the time', async () => {
  await acceptFile(db);
  await db.pool.query(`
    INSERT INTO client (id, name, directory, sftp_account) VALUES (4000, 'Away', 'away', 'other');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (41000, 4000, 'import', 'a.csv', 1, now(), 'empty')`);
  const nobody = await freePort();
  const deps = scheduler((account) =>
    account === null
      ? sftp.connect(null)
      : connectSftp({
          host: '127.0.0.1',
          port: nobody,
          username: 'x',
          password: 'x',
          hostKey: `SHA256:${'A'.repeat(43)}`,
        }),
  );
  await writeLogs(deps);
  expect(logs()).toHaveLength(2);
  expect(deps.log.warn).toHaveBeenCalledOnce();
  await writeLogs(deps);
  expect(deps.log.warn).toHaveBeenCalledOnce();
  deps.clock.set(new Date(deps.clock.now().getTime() + 61_000).toISOString());
  await writeLogs({ ...deps, connect: sftp.connect });
  expect(readdirSync(join(sftp.root, 'away/logs'))).toHaveLength(2);
});

it('tells a thousand rows and how many more there are', async () => {
  await db.pool.query(`
    INSERT INTO mailing_recipient (mailing_id, id, line, fields, status, reason)
      SELECT ${MAILING}, 100000 + i, 4 + i, '{}', 'invalid', 'address:1' FROM generate_series(1, 1500) i;
    UPDATE import SET status = 'empty', invalid = 1501, duplicate = 1, suppressed = 1`);
  await writeLogs(scheduler());
  const lines = linesOf(`${FILE}.log`);
  expect(lines.filter((line) => line.startsWith('  line '))).toHaveLength(1_000);
  expect(lines.at(-2)).toBe('  and 503 more');
});
