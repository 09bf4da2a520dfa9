import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres, temporaryDirectory } from '@postloop/local-stack';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployMigrations, pendingMigrations } from './migrate.js';

let server: PostgresServer;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  server = await startPostgres({ dir: join(directory.path, 'postgres') });
});
afterAll(async () => {
  await server.stop();
  await directory[Symbol.asyncDispose]();
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function migrations(name: string, files: Record<string, string>): string {
  const folder = join(directory.path, name);
  for (const [migration, sql] of Object.entries(files)) {
    mkdirSync(join(folder, migration), { recursive: true });
    writeFileSync(join(folder, migration, 'migration.sql'), sql);
  }
  return folder;
}

it("the project's migrations apply to an empty database once, also when two deploy at the same time", async () => {
  const url = await server.createDatabase('empty');
  const pending = await pendingMigrations(url);
  expect(pending.length).toBeGreaterThan(0);
  const applied = await Promise.all([deployMigrations(url), deployMigrations(url)]);
  expect(applied.flat()).toEqual(pending);
  expect(await pendingMigrations(url)).toEqual([]);
  expect(await deployMigrations(url)).toEqual([]);
});

it('an existing database gets only what is new, and keeps its rows', async () => {
  const url = await server.createDatabase('existing');
  await deployMigrations(url, migrations('first', { '1_a': 'CREATE TABLE a (x int); INSERT INTO a VALUES (1)' }));
  const both = migrations('first', { '2_b': 'ALTER TABLE a ADD COLUMN y int DEFAULT 2' });
  expect(await deployMigrations(url, both)).toEqual(['2_b']);
  expect(await query(url, 'SELECT x, y FROM a')).toEqual([{ x: 1, y: 2 }]);
});

it('a migration that fails leaves nothing behind and names itself', async () => {
  const url = await server.createDatabase('broken');
  const folder = migrations('broken', { '1_bad': 'CREATE TABLE half (x int); SELECT 1 / 0' });
  await expect(deployMigrations(url, folder)).rejects.toThrow(/1_bad failed and was rolled back: division by zero/);
  expect(await query(url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
});

it('a migration that was changed after it was applied is refused', async () => {
  const url = await server.createDatabase('changed');
  await deployMigrations(url, migrations('changed', { '1_a': 'CREATE TABLE a (x int)' }));
  await expect(deployMigrations(url, migrations('changed', { '1_a': 'CREATE TABLE b (x int)' }))).rejects.toThrow(
    /1_a was changed/,
  );
});

it('a migration that runs into a deadlock with an app gives way, and gets through in the end', async () => {
  const url = await server.createDatabase('busy');
  await query(url, 'CREATE TABLE a (x int); CREATE TABLE b (x int)');
  const folder = migrations('busy', { '1_both': 'ALTER TABLE a ADD y int; ALTER TABLE b ADD y int' });
  const app = new pg.Client({ connectionString: url });
  await app.connect();
  // It is never the one that PostgreSQL ends.
  await app.query(`SET deadlock_timeout = '10min'; BEGIN; LOCK b`);

  const deployed = deployMigrations(url, folder);
  for (const held = `SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND mode = 'AccessExclusiveLock'`; ; )
    if ((await query(url, held)).length > 0) break;
  await app.query('LOCK a; COMMIT');
  expect(await deployed).toEqual(['1_both']);
  await app.end();
});
