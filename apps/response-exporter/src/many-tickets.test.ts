import { repeatExport, selectExports } from '@postloop/db';
import { beforeEach, expect, test } from 'vitest';
import { ANNA, CLIENT, choose, MAILING } from './testing/finished-mailing.js';

// More tickets than one COPY takes: the rows of a file come from both connections by turns.

const TICKETS = 1_700;

import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { fixture, run } = exporter;
beforeEach(async () => {
  await choose(exporter.db, { export: { extraColumns: ['eventId'] } });
});

/** Two clicks of Anna's in each ticket, a second apart from the ticket before. Those of a ticket lie in no order. */
async function insertClicks(): Promise<void> {
  await exporter.db.pool.query(
    `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, browser, platform, device, verdict, verdict_rule)
     SELECT $1, format('00000000-0000-7000-800%s-%s', half, lpad(n::text, 12, '0'))::uuid, $2, take_ticket($2), $3, 'click', 3,
            timestamptz '2026-07-01 08:00Z' + n * interval '1 s', 'Firefox', 'Linux', 'Desktop', 'human', 'default'
       FROM generate_series(1, $4::integer) n, (VALUES (1)) v(half)`,
    [MAILING, CLIENT, ANNA, TICKETS],
  );
  await exporter.db.pool.query(
    `INSERT INTO event SELECT (e).* FROM (
       SELECT jsonb_populate_record(e, jsonb_build_object('id', replace(e.id::text, '-8001-', '-8000-'))) e FROM event e WHERE kind = 'click') e`,
  );
}

const clicksOf = async () => (await fixture.exported('acme'))['20260702_clicks.csv'] ?? '';

test('each event is told once, in the order of tickets and IDs, in the time zone of the client', async () => {
  await insertClicks();
  const files = await run();
  const rows = (await clicksOf()).trimEnd().split('\n').slice(1);
  const expected = Array.from({ length: TICKETS }, (_, i) =>
    ['8000', '8001'].map((half) => {
      const n = i + 1;
      const local = new Date(Date.parse('2026-07-01T10:00:00Z') + n * 1_000)
        .toISOString()
        .slice(0, 19)
        .replace('T', ' ');
      const id = `00000000-0000-7000-${half}-${String(n).padStart(12, '0')}`;
      return `23000;${MAILING};${ANNA};${CLIENT};anna@example.com;${local};Firefox;Linux;Desktop;${id}`;
    }),
  ).flat();
  expect(rows).toEqual(expected);
  expect(files?.find(({ kind }) => kind === 'clicks')?.rows).toBe(2 * TICKETS);
});

test('a repeat gives the same bytes', async () => {
  await insertClicks();
  await run();
  const before = await clicksOf();
  const [planned] = await selectExports(exporter.db.pool, CLIENT);
  await repeatExport(exporter.db.pool, planned?.id ?? 0n);
  await run({ resume: true });
  expect(await clicksOf()).toBe(before);
});

test('an event is read for the file of its kind alone', async () => {
  await insertClicks();
  await exporter.db.pool.query('VACUUM ANALYZE event');
  const before = await eventsRead();
  await run();
  // Twice at most: once for its file, once where the run looks for its mailings' traces. Each other file would read it again.
  expect((await eventsRead()) - before).toBeLessThanOrEqual(2 * 2 * TICKETS);
});

/** Rows of events that all connections have read, whichever way. */
async function eventsRead(): Promise<number> {
  const { pool } = exporter.db;
  const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
  for (const client of clients) await client.query('SELECT pg_stat_force_next_flush()');
  for (const client of clients) client.release();
  const { rows } = await pool.query(
    `SELECT sum(seq_tup_read + idx_tup_fetch)::integer AS read FROM pg_stat_user_tables WHERE relname LIKE 'event_p%'`,
  );
  return rows[0].read;
}
