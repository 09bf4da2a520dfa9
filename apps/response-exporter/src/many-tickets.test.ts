import { type Database, repeatExport, selectExports } from '@postloop/db';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ExporterFixture, startExporterFixture } from './testing/exporter-fixture.js';
import { ANNA, CLIENT, choose, insertFinishedMailing, MAILING } from './testing/finished-mailing.js';
import { runExporter } from './testing/run-exporter.js';

// More tickets than one COPY takes: the rows of a file come from both connections by turns.

const TICKETS = 1_700;

let fixture: ExporterFixture;
let db: Database;
beforeAll(async () => {
  fixture = await startExporterFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  db = await fixture.newDatabase();
  await insertFinishedMailing(db);
  await fixture.emptyExports('acme');
  await choose(db, { export: { extraColumns: ['eventId'] } });
});

/** Two clicks of Anna's in each ticket, a second apart from the ticket before. Those of a ticket lie in no order. */
async function insertClicks(): Promise<void> {
  await db.pool.query(
    `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, browser, platform, device, verdict, verdict_rule)
     SELECT $1, format('00000000-0000-7000-800%s-%s', half, lpad(n::text, 12, '0'))::uuid, $2, take_ticket($2), $3, 'click', 3,
            timestamptz '2026-07-01 08:00Z' + n * interval '1 s', 'Firefox', 'Linux', 'Desktop', 'human', 'default'
       FROM generate_series(1, $4::integer) n, (VALUES (1)) v(half)`,
    [MAILING, CLIENT, ANNA, TICKETS],
  );
  await db.pool.query(
    `INSERT INTO event SELECT (e).* FROM (
       SELECT jsonb_populate_record(e, jsonb_build_object('id', replace(e.id::text, '-8001-', '-8000-'))) e FROM event e WHERE kind = 'click') e`,
  );
}

const clicksOf = async () => (await fixture.exported('acme'))['20260702_clicks.csv'] ?? '';

test('each event is told once, in the order of tickets and IDs, in the time zone of the client', async () => {
  await insertClicks();
  const files = await runExporter(fixture, db);
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
  await runExporter(fixture, db);
  const before = await clicksOf();
  const [run] = await selectExports(db.pool, CLIENT);
  await repeatExport(db.pool, run?.id ?? 0n);
  await runExporter(fixture, db, { resume: true });
  expect(await clicksOf()).toBe(before);
});
