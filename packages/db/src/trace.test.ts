import { beforeEach, expect, it } from 'vitest';
import { loadSql } from './sql.js';
import { addSuppressions } from './suppression.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';
import { selectRecipientTrace } from './trace.js';

const CLIENT = 5_000n;
const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const address = `r${RECIPIENTS[1]}@x.example`;

it('tells the rows of an address, and every entry of a suppression list that it fits', async () => {
  await addSuppressions(db, CLIENT, [
    { entry: address, reason: 'unsubscribed' },
    { entry: 'r*@x.example' },
    { entry: 'r*@y.example' },
  ]);
  const { recipients, suppressions } = await selectRecipientTrace(db.pool, ` ${address.toUpperCase()} `);
  expect(recipients).toMatchObject([{ id: RECIPIENTS[1], mailingId: MAILING, status: 'queued' }]);
  const found = suppressions.map(({ clientName, entry, reason }) => `${clientName}: ${entry} ${reason}`);
  expect(found.sort()).toEqual(['Acme: r*@x.example blacklisted', `Acme: ${address} unsubscribed`].sort());
});

it('finds an address among many without reading them all', async () => {
  await db.pool.query(
    `INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
       SELECT $1, i * 1000, i, 'p' || i || '@x.example', '{}', 'queued' FROM generate_series(1, 200000) i`,
    [MAILING],
  );
  await db.pool.query('VACUUM ANALYZE mailing_recipient'); // sums up the pages that came in last
  const sql = loadSql(import.meta.url, 'inspect-recipients.sql');
  const { rows } = await db.pool.query(`EXPLAIN ${sql}`, [address]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  // The partition that holds them all; the empty ones beside it cost nothing.
  expect(plan).toMatch(/Bitmap Index Scan on mailing_recipient_p0_lower_idx/);
});
