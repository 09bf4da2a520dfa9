import type { Database } from './database.js';
import { selectOne } from './sql.js';

/**
 * Runs `work` while nobody else works on the same thing: a client's export, an import's file. The lock is the database
 * session's, so it ends with the process. `id` is the ID of the thing.
 * @returns undefined, without running it, when another holds the lock
 */
export async function withLock<T>(
  db: Database,
  id: bigint,
  work: () => Promise<T>,
): Promise<{ result: T } | undefined> {
  const client = await db.pool.connect();
  let broken: Error | undefined;
  try {
    const { locked } = await selectOne<{ locked: boolean }>(client, 'SELECT pg_try_advisory_lock($1) AS locked', [id]);
    if (!locked) return undefined;
    try {
      return { result: await work() };
    } finally {
      // A session that cannot say that it lets go is closed: that lets go too.
      await client.query('SELECT pg_advisory_unlock($1)', [id]).catch((error: Error) => {
        broken = error;
      });
    }
  } finally {
    client.release(broken);
  }
}
