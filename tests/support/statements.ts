import { join } from 'node:path';
import { type Database, openDatabase } from '@postloop/db';
import { startPostgres } from '@postloop/local-stack';
import type { World } from './world.js';

/** What `openWorld` prepares, so that PostgreSQL counts the statements it is given, those of triggers and functions too. */
export async function countingPostgres(dir: string): Promise<AsyncDisposable> {
  const postgres = await startPostgres({ dir: join(dir, 'postgres') });
  await using db = openDatabase({ url: postgres.url(), poolMax: 1, onError: () => undefined });
  await db.pool.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
  await db.pool.query(`ALTER SYSTEM SET pg_stat_statements.track = 'all'`);
  // Before the pool: a server that goes first cuts its connection.
  await db[Symbol.asyncDispose]();
  await postgres.stop();
  return { [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** A statement as often as it was run since the last reset. */
export interface CountedStatement {
  calls: number;
  /** Sent by a program; else run by a trigger or function inside PostgreSQL. */
  toplevel: boolean;
  text: string;
}

/** Counts what the apps send to PostgreSQL. Whoever watches them does so as another user, by `observed`. */
export interface StatementCount extends AsyncDisposable {
  /** The same world with a database that is not counted. */
  observed: World;
  /** The statements of the apps since the last call. */
  since(): Promise<CountedStatement[]>;
}

/** @param world on a `countingPostgres` */
export async function countStatements(world: World): Promise<StatementCount> {
  await world.db.pool.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await world.db.pool.query(`CREATE ROLE observer SUPERUSER LOGIN PASSWORD 'observer'`);
  const url = new URL(world.stack.databaseUrl);
  [url.username, url.password] = ['observer', 'observer'];
  const db: Database = openDatabase({ url: url.href, poolMax: 2, onError: () => undefined });
  return {
    observed: { ...world, db },
    async since() {
      const { rows } = await db.pool.query<CountedStatement>(
        `SELECT sum(calls)::int AS calls, toplevel, query AS text FROM pg_stat_statements
          WHERE userid <> 'observer'::regrole GROUP BY 2, 3 ORDER BY 1 DESC`,
      );
      await db.pool.query('SELECT pg_stat_statements_reset()');
      return rows;
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}
