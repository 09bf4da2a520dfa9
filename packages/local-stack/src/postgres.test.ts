import { execFile } from 'node:child_process';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from './free-port.js';
import { startPostgres } from './postgres.js';
import { copyBinaries, installedBinaries, postgresBinaries } from './postgres-binaries.js';
import { closedDirectory, postgresUser } from './postgres-user.js';
import { spawnServer } from './server-process.js';
import { temporaryDirectory } from './temporary-directory.js';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  dir = await temporaryDirectory();
});
afterAll(() => dir[Symbol.asyncDispose]());

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client.query<T>(sql).then(
    (result) => client.end().then(() => result.rows),
    (error) => client.end().then(() => Promise.reject(error)),
  );
}

test('serves databases, keeps what was committed through kill -9, and refuses a wrong password', async () => {
  const options = { dir: join(dir.path, 'main'), settings: { work_mem: '8MB' } };
  const first = await startPostgres(options);
  const url = await first.createDatabase('shop');
  expect(await first.createDatabase('shop')).toBe(url);
  await query(url, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)');
  const settings = await query(url, "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'max_connections')");
  expect(settings).toEqual([
    { name: 'fsync', setting: 'on' },
    { name: 'max_connections', setting: '200' },
  ]);
  expect(await query(url, "SELECT lower('ÄÖÜ') AS lower")).toEqual([{ lower: 'äöü' }]);
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  await expect(first.createDatabase('x"; DROP')).rejects.toThrow(/not a database name/);
  await expect(startPostgres(options)).rejects.toThrow(/already running/);

  first.kill('SIGKILL');
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await using second = await startPostgres(options);
  expect(await query(second.url('shop'), 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  await second.stop();
  expect(await second.exited).toEqual({ code: 0, signal: null });
});

test('takes over a data directory whose server was left behind by a starter that is gone', async () => {
  const options = { dir: join(dir.path, 'main') };
  const port = await freePort();
  // Not started by startPostgres, so the recorded owner is not its parent: what a kill -9 of the starter leaves.
  const user = await postgresUser();
  const native = await postgresBinaries(user);
  const left = await spawnServer({
    command: 'sh',
    args: ['-c', `${join(native, 'bin', 'postgres')} -D ${join(options.dir, 'data')} -p ${port} -k '' & wait`],
    logFile: join(dir.path, 'left.log'),
    user,
  });
  await expect
    .poll(() =>
      stat(join(options.dir, 'data', 'postmaster.pid')).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await using taken = await startPostgres(options);
  expect(await query(taken.url(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(await left.exited).toBeDefined();
});

test.skipIf(process.getuid?.() !== 0)('says which directory keeps the user postgres out', async () => {
  const closed = join(dir.path, 'home');
  await mkdir(join(closed, 'data'), { recursive: true });
  await chmod(closed, 0o700);
  await expect(startPostgres({ dir: join(closed, 'data') })).rejects.toThrow(`may not enter ${closed}`);
});

describe('binaries out of reach', () => {
  test('the way to a file is open only when every directory lets the user pass', async () => {
    const outer = join(dir.path, 'outer');
    const inner = join(outer, 'inner');
    await mkdir(inner, { recursive: true });
    const stranger = { uid: 65_000, gid: 65_000 };
    expect(await closedDirectory(inner, stranger)).toBeUndefined();
    await chmod(outer, 0o750);
    expect(await closedDirectory(inner, stranger)).toBe(outer);
    const { uid, gid } = await stat(outer);
    expect(await closedDirectory(inner, { uid: 65_000, gid })).toBeUndefined();
    expect(await closedDirectory(inner, { uid, gid: 65_000 })).toBeUndefined();
  });

  test('are copied once, by however many processes, readable for everybody', async () => {
    const { native } = await installedBinaries();
    const target = join(dir.path, 'copy');
    expect(await Promise.all([copyBinaries(native, target), copyBinaries(native, target)])).toEqual([target, target]);
    expect((await stat(join(target, 'bin', 'postgres'))).mode & 0o777).toBe(0o755);
    expect(await closedDirectory(join(target, 'bin', 'postgres'), { uid: 65_000, gid: 65_000 })).toBeUndefined();
    const user = await postgresUser();
    const { stdout } = await promisify(execFile)(join(target, 'bin', 'postgres'), ['--version'], { cwd: '/', ...user });
    expect(stdout).toMatch(/^postgres \(PostgreSQL\) 18/);
    await chmod(target, 0o777);
    await expect(copyBinaries(native, target)).rejects.toThrow(/not made by us/);
  });
});
