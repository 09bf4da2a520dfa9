import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { CopyOut } from './copy-out.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();

async function connected(): Promise<pg.PoolClient> {
  const client = await db.pool.connect();
  onTestFinished(() => client.release(true));
  client.on('error', () => undefined);
  return client;
}

const series = (count: number, columns = 'n') =>
  `COPY (SELECT ${columns} FROM generate_series(1, ${count}) n) TO STDOUT (FORMAT csv)`;

it('gives the rows in their order and their number, and the connection to what was asked for meanwhile', async () => {
  const client = await connected();
  const copied = client.query(new CopyOut(series(300_000)));
  const later = client.query('SELECT 1 AS one');
  const lines = (await buffer(copied)).toString().split('\n');
  expect(lines).toEqual([...Array.from({ length: 300_000 }, (_, i) => `${i + 1}`), '']);
  expect(copied.rowCount).toBe(300_000);
  expect((await later).rows).toEqual([{ one: 1 }]);
});

it('gives nothing of no rows', async () => {
  const client = await connected();
  const copied = client.query(new CopyOut(series(0)));
  expect((await buffer(copied)).length).toBe(0);
  expect(copied.rowCount).toBe(0);
});

it('lets the server wait while nobody reads', async () => {
  const client = await connected();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const copied = client.query(new CopyOut(series(3_000_000, "n, repeat('x', 100)")));
  await once(copied, 'readable');
  await until(async () => {
    const waits = await db.pool.query('SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [rows[0].pid]);
    return waits.rows[0]?.wait_event === 'ClientWrite';
  });
  expect(copied.readableLength).toBeLessThan(10);
  copied.destroy();
});

it('fails as the statement fails, after the rows before', async () => {
  const client = await connected();
  const copied = client.query(new CopyOut(series(100_000, '1 / (90000 - n)')));
  await expect(buffer(copied)).rejects.toThrow('division by zero');
  expect((await client.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
});

it('fails when the connection is lost', async () => {
  const client = await connected();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const copied = client.query(new CopyOut(series(3_000_000, "n, repeat('x', 100)")));
  await once(copied, 'readable');
  await db.pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
  await expect(buffer(copied)).rejects.toThrow(/terminat/);
});

/** The state of another process that no event tells. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached()));
}
