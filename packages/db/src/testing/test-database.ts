import { startPostgres, temporaryDirectory } from '@postloop/local-stack';
import { afterAll } from 'vitest';
import { type Database, openDatabase } from '../database.js';
import { deployMigrations } from '../migrate.js';

/** For tests: a migrated database in a real PostgreSQL of its own, gone on disposal. */
export async function openTestDatabase(): Promise<{ db: Database; url: string } & AsyncDisposable> {
  const directory = await temporaryDirectory();
  const server = await startPostgres({ dir: directory.path });
  const url = await server.createDatabase('postloop');
  await deployMigrations(url);
  const db = openDatabase({ url, poolMax: 6, onError: () => undefined });
  return {
    db,
    url,
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await server.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** That of a test file, gone after its tests. */
export async function useTestDatabase(): Promise<{ db: Database; url: string }> {
  const opened = await openTestDatabase();
  afterAll(() => opened[Symbol.asyncDispose]());
  return opened;
}
