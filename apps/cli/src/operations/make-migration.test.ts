import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deployMigrations, openDatabase, pendingMigrations } from '@postloop/db';
import { type PostgresServer, startPostgres, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeMigration } from './make-migration.js';
import { diffSchemas } from './schema-diff.js';

const PRISMA = fileURLToPath(new URL('../../../../prisma', import.meta.url));
const now = new Date('2099-11-21T06:05:04Z');

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

const schema = readFileSync(join(PRISMA, 'schema.prisma'), 'utf8');
const newest = readdirSync(join(PRISMA, 'migrations')).sort().at(-1) ?? '';

/** A copy of the project's migrations and schema. */
let folder: string;
beforeEach(() => {
  folder = join(directory.path, 'prisma');
  cpSync(PRISMA, folder, { recursive: true });
  writeFileSync(join(folder, 'migrations', newest, 'schema.prisma'), schema);
});
afterEach(() => rmSync(folder, { recursive: true }));

const make = (name: string, dryRun = false) => makeMigration(name, now, { dryRun, folder });

it('what is new in the schema becomes SQL that a database takes, and the next one begins where it ended', async () => {
  const url = await server.createDatabase('moving');
  const migrations = join(folder, 'migrations');
  await deployMigrations(url, migrations);
  writeFileSync(
    join(folder, 'schema.prisma'),
    schema.replace(/^model Client \{$/m, '$&\n  nick_name String? @db.VarChar(40)'),
  );

  const { name, file } = await make('nick_names');
  expect(name).toBe('20991121060504_nick_names');
  expect(readFileSync(file, 'utf8')).toMatch(/ALTER TABLE "client" ADD COLUMN +"nick_name" VARCHAR\(40\);/);
  expect(await pendingMigrations(url, migrations)).toEqual([name]);
  await deployMigrations(url, migrations);
  await using db = openDatabase({ url, poolMax: 1, onError: () => undefined });
  expect((await db.pool.query('SELECT nick_name FROM client')).rows).toEqual([]);

  const after = await makeMigration('more', new Date(now.getTime() + 1_000), { dryRun: true, folder });
  expect(after.sql).toContain('says nothing new');
});

it("the schema beside the newest migration is the project's: whoever changes one changes the other", () => {
  expect(readFileSync(join(PRISMA, 'migrations', newest, 'schema.prisma'), 'utf8')).toBe(schema);
});

it('a new migration comes after the newest, whatever the clock says', async () => {
  const early = new Date('2020-01-01T00:00:00Z');
  const { name } = await makeMigration('add_waves', early, { dryRun: true, folder });
  expect([name, newest].sort()).toEqual([newest, name]);
});

it.each<[string, () => void, RegExp]>([
  [
    'a newest migration without its schema',
    () => mkdirSync(join(folder, 'migrations/20981121060504_x')),
    /20981121060504_x/,
  ],
  [
    'a schema that is none',
    () => writeFileSync(join(folder, 'schema.prisma'), `${schema}\nmodel X { x Strin }`),
    /schema\.prisma:\d+/,
  ],
])('%s: nothing is made, and the remedy is told', async (_, spoil, message) => {
  spoil();
  const before = readdirSync(join(folder, 'migrations'));
  await expect(make('add_waves')).rejects.toThrow(
    expect.objectContaining({ message: expect.stringMatching(message), remedy: expect.any(String) }),
  );
  expect(readdirSync(join(folder, 'migrations'))).toEqual(before);
});

it('makes nothing in a dry run, nor under a name that is a path', async () => {
  const before = readdirSync(join(folder, 'migrations'));
  await make('add_waves', true);
  await expect(make('../x')).rejects.toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(readdirSync(join(folder, 'migrations'))).toEqual(before);
});

it('without the engine it says how to get it', async () => {
  const nowhere = () => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  };
  await expect(diffSchemas(schema, schema, nowhere)).rejects.toThrow(
    expect.objectContaining({ exitCode: 2, remedy: expect.stringContaining('pnpm install') }),
  );
});
