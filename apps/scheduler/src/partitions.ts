import { type Database, ensurePartitions, withTurn } from '@postloop/db';

/** Keeps the partitions ahead of the ID allocator. One scheduler does it; the others need not wait for it. */
export async function makePartitions(db: Database): Promise<void> {
  await withTurn(db, 'partitions', ensurePartitions);
}
