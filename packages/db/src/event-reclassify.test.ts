import { beforeEach, expect, it } from 'vitest';
import { insertEvents, type RecordedEvent } from './event.js';
import { reclassifyEvents } from './event-reclassify.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** As rules of another day judged it. */
const event = (n: number, more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`,
  mailingId: MAILING,
  recipientId: RECIPIENTS[0] ?? 0n,
  kind: 'open',
  linkOrdinal: 1,
  occurredAt: new Date('2026-07-01T10:00:00Z'),
  browser: 'Netscape 4',
  platform: '',
  device: '',
  verdict: 'unknown',
  verdictRule: 'none',
  userAgent: FIREFOX,
  ...more,
});

async function stored() {
  const { rows } = await db.pool.query<{ verdict: string; rule: string; browser: string; ticket: bigint }>(
    'SELECT verdict, verdict_rule AS rule, browser, ticket FROM event ORDER BY id',
  );
  return rows;
}

it('judges by today’s rules and tells what changed from what to what', async () => {
  await insertEvents(db, [event(1), event(2), event(3, { userAgent: 'python-requests/2' })]);
  const before = await stored();
  const done = await reclassifyEvents(db, { batchSize: 2 });
  expect(done).toMatchObject({ seen: 3, changed: 3 });
  expect(done.changes).toEqual(
    expect.arrayContaining([
      { field: 'verdict', from: 'unknown (none)', to: 'human (browser)', events: 2 },
      { field: 'verdict', from: 'unknown (none)', to: 'scanner (http-library)', events: 1 },
      { field: 'browser', from: 'Netscape 4', to: 'Firefox 140.0', events: 2 },
    ]),
  );
  const after = await stored();
  expect(after.map(({ rule }) => rule)).toEqual(['browser', 'browser', 'http-library']);
  // The order of exports: nothing is handed out again.
  expect(after.map(({ ticket }) => ticket)).toEqual(before.map(({ ticket }) => ticket));
});

it('stopped half-way, it goes on where it is run again, and then has nothing to do', async () => {
  await insertEvents(
    db,
    [1, 2, 3, 4, 5].map((n) => event(n)),
  );
  const stopped = reclassifyEvents(db, {
    batchSize: 2,
    onBatch: ({ seen }) => {
      if (seen === 4) throw new Error('killed');
    },
  });
  await expect(stopped).rejects.toThrow('killed');
  expect((await stored()).filter(({ rule }) => rule === 'browser')).toHaveLength(4);
  expect(await reclassifyEvents(db, { batchSize: 2 })).toMatchObject({ seen: 5, changed: 1 });
  expect(await reclassifyEvents(db)).toEqual({ seen: 5, changed: 0, changes: [] });
});

it('can be kept to a client and a time, and can be tried first', async () => {
  await insertEvents(db, [event(1), event(2, { occurredAt: new Date('2026-07-02T10:00:00Z') })]);
  expect(await reclassifyEvents(db, { clientId: 1n })).toMatchObject({ seen: 0 });
  expect(await reclassifyEvents(db, { clientId: 5_000n, dryRun: true })).toMatchObject({ seen: 2, changed: 2 });
  expect((await stored()).map(({ rule }) => rule)).toEqual(['none', 'none']);
  await reclassifyEvents(db, { since: new Date('2026-07-02T00:00:00Z') });
  expect((await stored()).map(({ rule }) => rule)).toEqual(['none', 'browser']);
});

it('leaves alone what a user agent cannot tell: an unsubscribe, a HEAD request', async () => {
  await insertEvents(db, [
    event(1, { kind: 'unsubscribe', verdictRule: 'unsubscribe' }),
    event(2, { verdict: 'scanner', verdictRule: 'head-request' }),
  ]);
  await reclassifyEvents(db);
  expect((await stored()).map(({ verdict, rule }) => [verdict, rule])).toEqual([
    ['unknown', 'unsubscribe'],
    ['scanner', 'head-request'],
  ]);
});
