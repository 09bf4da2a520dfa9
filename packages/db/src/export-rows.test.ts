import { beforeAll, expect, it } from 'vitest';
import { planExport } from './export.js';
import { withSnapshot } from './export-rows.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeAll(async () => {
  await db.pool.query(`INSERT INTO client (id, name, directory) VALUES (5000, 'before', 'acme')`);
});

it('both connections see the same state, whatever is committed between their beginnings', async () => {
  const run = await planExport(db, 5_000n, new Date('2026-07-01T00:00:00Z'));
  const renamed: string[] = [];
  // Somebody commits just before each connection is had.
  const busy = Object.assign(Object.create(db.pool), {
    async connect() {
      renamed.push(`name ${renamed.length + 1}`);
      await db.pool.query('UPDATE client SET name = $1', [renamed.at(-1)]);
      return db.pool.connect();
    },
  });
  const seen = await withSnapshot({ ...db, pool: busy }, run, (snapshot) =>
    Promise.all(snapshot.map(async (client) => (await client.query('SELECT name FROM client')).rows[0].name)),
  );
  expect(renamed).toEqual(['name 1', 'name 2']);
  expect(seen).toEqual(['name 1', 'name 1']);
});
