import { beforeEach, expect, it } from 'vitest';
import { insertEvents, type RecordedEvent } from './event.js';
import { planExport } from './export.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const event = (n: number, more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`,
  mailingId: MAILING,
  recipientId: RECIPIENTS[0] ?? 0n,
  kind: 'open',
  linkOrdinal: 1,
  occurredAt: new Date('2026-07-01T10:00:00Z'),
  browser: '',
  platform: '',
  device: '',
  verdict: 'unknown',
  verdictRule: 'none',
  userAgent: null,
  ...more,
});

it('recording a batch again changes nothing', async () => {
  expect(await insertEvents(db, [event(1), event(2)])).toBe(2);
  expect(await insertEvents(db, [event(1), event(2), event(3)])).toBe(1);
});

// An open goes in as it comes, an unsubscribe is looked for first.
it.each(['open', 'unsubscribe'] as const)('keeps the text of an %s as it is, whatever stands in it', async (kind) => {
  const hostile = ['a\tb', '\\N', '\\.', 'a\\tb\\', 'line\nbreak\r\n', '{"a",NULL}', "';--", 'é ✓ 𝄞', '', null];
  const said = hostile.map((userAgent, n) => event(n, { kind, userAgent, browser: userAgent ?? '' }));
  expect(await insertEvents(db, said)).toBe(hostile.length);
  const { rows } = await db.pool.query('SELECT user_agent AS "userAgent", browser, kind FROM event ORDER BY id');
  expect(rows).toEqual(said.map(({ userAgent, browser }) => ({ userAgent, browser, kind })));
});

it('refuses a batch as a whole for what is in one of them', async () => {
  const refused = insertEvents(db, [event(1), event(2, { recipientId: 2n ** 63n })]);
  await expect(refused).rejects.toMatchObject({ code: '22003' });
  expect(await insertEvents(db, [event(1)])).toBe(1);
});

it('events of a mailing that is gone are left out, the others are kept', async () => {
  expect(await insertEvents(db, [event(1), event(2, { mailingId: 999_000n })])).toBe(1);
});

it('an unsubscribe suppresses the address for this client', async () => {
  await insertEvents(db, [event(1, { kind: 'unsubscribe', linkOrdinal: 2 })]);
  const { rows } = await db.pool.query('SELECT client_id, address, reason FROM suppression');
  expect(rows).toEqual([{ client_id: 5_000n, address: `r${RECIPIENTS[0]}@x.example`, reason: 'unsubscribed' }]);
});

it('many recorders and exports at the same time: every event is in exactly one export', async () => {
  const recorded = 40;
  const runs: { from: bigint; to: bigint }[] = [];
  const record = async (n: number) => void (await insertEvents(db, [event(n)]));
  const plan = async () => {
    const run = await planExport(db, 5_000n, new Date('2026-07-01T12:00:00Z'));
    await db.pool.query(`UPDATE export SET status = 'done' WHERE id = $1`, [run.id]);
    runs.push({ from: run.fromTicket, to: run.toTicket });
  };
  await Promise.all(
    Array.from({ length: recorded }, (_, n) => (n % 8 === 7 ? Promise.all([record(n), plan()]) : record(n))),
  );
  await plan();

  const { rows } = await db.pool.query<{ ticket: bigint }>('SELECT ticket FROM event');
  const bounds = [...new Map(runs.map((run) => [`${run.from} ${run.to}`, run])).values()];
  expect(rows).toHaveLength(recorded);
  for (const { ticket } of rows)
    expect(bounds.filter(({ from, to }) => from < ticket && ticket <= to && from < to)).toHaveLength(1);
});
