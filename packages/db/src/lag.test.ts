import { beforeEach, describe, expect, it } from 'vitest';
import { type Lag, selectLag, type WaitingWork } from './lag.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const LATE_MS = 900_000;

const { db } = await useTestDatabase();
// One client; one sending mailing, started now, with one queued batch.
beforeEach(() => insertMailing(db));

/** Runs statements, then measures; ages in whole seconds. */
async function lagAfter(sql: string): Promise<Lag> {
  await db.pool.query(sql);
  const lag = await selectLag(db.pool, LATE_MS);
  for (const work of Object.keys(lag.oldestSeconds) as WaitingWork[])
    lag.oldestSeconds[work] = Math.floor(lag.oldestSeconds[work]);
  return lag;
}

const DONE =
  "UPDATE mailing SET status = 'finished', finished_at = now() - interval '50 s', finished_ticket = 1; UPDATE send_batch SET status = 'done';";
const SCHEDULED =
  "INSERT INTO schedule (client_id, kind, cron, next_due_at) VALUES (5000, 'response_export', '0 4 * * *', now() + interval '1 h');";

const ago = (seconds: number) => `now() - interval '${seconds} s'`;
const addImport = (status: string, created: number, changed: number) =>
  `INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status, created_at, changed_at)
   VALUES (nextval('id_block') + 100000, 5000, 'import', gen_random_uuid() || '.csv', 1, now(), '${status}', ${ago(created)}, ${ago(changed)});`;
const addExport = (status: string, created: number, to: number) =>
  `INSERT INTO export (client_id, from_ticket, to_ticket, run, day, run_of_day, status, created_at)
   VALUES (5000, 0, ${to}, 1, now(), 1, '${status}', ${ago(created)});`;
const addEvent = (ticket: number, recorded: number) =>
  `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, recorded_at, browser, platform, device, verdict, verdict_rule)
   VALUES (${MAILING}, gen_random_uuid(), 5000, ${ticket}, 1, 'open', 1, now(), ${ago(recorded)}, '', '', '', 'human', '');`;

describe('the oldest work that waits', () => {
  it.each<[string, string, Partial<Record<WaitingWork, number>>]>([
    ['nothing', DONE, {}],
    ['a claimed file, whose importer has a pulse', DONE + addImport('claimed', 70, 1), { 'file-import': 70 }],
    ['rows without mailings', DONE + addImport('imported', 70, 30), { 'mailing-build': 30 }],
    [
      'a batch that nobody took',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET changed_at = ${ago(95)}`,
      { 'mail-send': 90, mailing: 90 },
    ],
    [
      'a batch that was given back',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET changed_at = ${ago(20)}`,
      { 'mail-send': 20, mailing: 90 },
    ],
    [
      'a batch that is due',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET status = 'waiting', due_at = ${ago(15)}`,
      { 'mail-send': 15, mailing: 90 },
    ],
    [
      'a batch that is due later',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET status = 'waiting', due_at = now() + interval '1 h'`,
      { mailing: 90 },
    ],
    [
      'a batch in good hands',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET status = 'claimed', lease_until = now() + interval '1 min'`,
      { mailing: 90 },
    ],
    [
      'a lease that ran out',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET status = 'claimed', lease_until = ${ago(12)}`,
      { 'mail-send': 12, mailing: 90 },
    ],
    [
      'a server that does not answer',
      `UPDATE mailing SET started_at = ${ago(90)}; UPDATE send_batch SET status = 'claimed', lease_until = now() + interval '1 min';
       INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status, started_at) VALUES
         (${MAILING}, ${RECIPIENTS[1]}, 1, 'in_flight', ${ago(40)}), (${MAILING}, ${RECIPIENTS[0]}, 1, 'sent', ${ago(80)});`,
      { 'in-flight': 40, mailing: 90 },
    ],
    ['a mailing that was paused', `UPDATE mailing SET status = 'paused', started_at = ${ago(90)}`, {}],
    ['a finished mailing that no export told', DONE + SCHEDULED, { 'response-export': 50 }],
    [
      'an event after the last export',
      DONE + SCHEDULED + addExport('done', 45, 1) + addEvent(2, 25) + addEvent(3, 5),
      { 'response-export': 25 },
    ],
    [
      'an event of an export that is not done',
      DONE + SCHEDULED + addExport('planned', 45, 2) + addEvent(2, 25),
      { 'response-export': 50 },
    ],
    ['what no export is wanted of', DONE + addEvent(2, 25), {}],
  ])('%s', async (_what, sql, expected) => {
    const { oldestSeconds } = await lagAfter(sql);
    const waiting = Object.fromEntries(Object.entries(oldestSeconds).filter(([, seconds]) => seconds > 0));
    expect(waiting).toEqual(expected);
    expect(Object.keys(oldestSeconds)).toHaveLength(6);
  });
});

const ran = (seconds: number) => `UPDATE schedule SET last_run_at = ${ago(seconds)};`;

describe('exports', () => {
  it.each<[string, string, Lag['exports']]>([
    ['not due', '', { due: 0, late: 0 }],
    ['due, and the scheduler has not said so yet', `UPDATE schedule SET next_due_at = ${ago(5)}`, { due: 1, late: 0 }],
    ['due, and the scheduler is away', `UPDATE schedule SET next_due_at = ${ago(1_000)}`, { due: 0, late: 1 }],
    ['enqueued, not planned', ran(100), { due: 1, late: 0 }],
    ['enqueued, and the exporter is away', ran(1_000), { due: 0, late: 1 }],
    ['running', ran(100) + addExport('planned', 99, 1), { due: 1, late: 0 }],
    ['hanging', ran(1_000) + addExport('planned', 999, 1), { due: 0, late: 1 }],
    ['done', ran(1_000) + addExport('done', 999, 1), { due: 0, late: 0 }],
    ['done the last time', ran(1_000) + addExport('done', 90_000, 1), { due: 0, late: 1 }],
  ])('%s', async (_what, sql, expected) => {
    expect((await lagAfter(SCHEDULED + sql)).exports).toEqual(expected);
  });
});

it('counts the files on their way, and no others', async () => {
  const sql =
    addImport('claimed', 1, 1) + addImport('imported', 1, 1) + addImport('imported', 1, 1) + addImport('failed', 1, 1);
  expect((await lagAfter(sql)).imports).toEqual({ claiming: 0, claimed: 1, imported: 2 });
});

it('scans no big table from end to end', async () => {
  const { readFileSync } = await import('node:fs');
  const statement = readFileSync(new URL('lag.sql', import.meta.url), 'utf8');
  const plan = await db.transaction(async (sql) => {
    await sql.query('SET LOCAL enable_seqscan = off');
    return sql.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`);
  });
  const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).not.toMatch(/Seq Scan on (import|mailing|send_batch|delivery|event|response|export)/);
});
