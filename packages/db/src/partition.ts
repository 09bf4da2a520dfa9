import type { Sql } from './sql.js';

/** Makes the partitions that mailings made now and soon will fall into. Cheap when they are there. */
export async function ensurePartitions(sql: Sql): Promise<void> {
  await sql.query('SELECT ensure_partitions((SELECT last_value FROM id_block))');
}
