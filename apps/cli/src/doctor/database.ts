import { describeError } from '@postloop/contracts';
import { openDatabase, pendingMigrations, selectClients, selectServerFacts } from '@postloop/db';
import { explainDatabaseError, placeOf } from '../explain.js';
import { type CheckResult, fail, ok, skipped } from './check.js';

/** What the other checks need to know of the database. */
export interface DatabaseFindings {
  results: CheckResult[];
  /** Milliseconds that PostgreSQL's clock is ahead of ours; undefined when it could not be asked. */
  clockAheadMs: number | undefined;
  /** A client's directory on the SFTP server, to try something in. */
  clientDirectory: string | undefined;
}

export async function checkDatabase(url: string | undefined): Promise<DatabaseFindings> {
  const nothing = { clockAheadMs: undefined, clientDirectory: undefined };
  if (url === undefined)
    return { ...nothing, results: [skipped('database', 'not configured'), skipped('migrations', 'no database')] };
  await using db = openDatabase({ url, poolMax: 1, onError: () => undefined });
  try {
    await db.ping();
    const asked = Date.now();
    const { now, version } = await selectServerFacts(db.pool);
    // The answer was made half way between asking and hearing.
    const clockAheadMs = now.getTime() - (asked + Date.now()) / 2;
    const found = ok('database', `PostgreSQL ${version} at ${placeOf(url)}`);
    const migrations = await checkMigrations(url);
    const clients = migrations.status === 'ok' ? await selectClients(db.pool) : [];
    return { results: [found, migrations], clockAheadMs, clientDirectory: clients[0]?.directory };
  } catch (error) {
    const failed = fail('database', explainDatabaseError(error, url));
    return { ...nothing, results: [failed, skipped('migrations', 'no database')] };
  }
}

async function checkMigrations(url: string): Promise<CheckResult> {
  const remedy = 'Run `postloop migrate deploy`.';
  try {
    const pending = await pendingMigrations(url);
    if (pending.length === 0) return ok('migrations', 'the tables are up to date');
    return fail('migrations', { code: 'migrations_missing', found: `missing: ${pending.join(', ')}`, remedy });
  } catch (error) {
    return fail('migrations', {
      code: 'migrations_broken',
      found: describeError(error),
      remedy: 'Look into the table _prisma_migrations.',
    });
  }
}
