import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Database, insertEvents, type RecordedEvent } from '@postloop/db';
import type { Random } from './random.js';

export const CLIENT = 5_000n;
const RECIPIENTS = 50n;

/** A client whose files carry event IDs, with nothing sent yet. */
export async function insertExportClient({ pool }: Database): Promise<void> {
  const settings = { export: { extraColumns: ['eventId', 'verdict'], manifest: true } };
  await pool.query(`INSERT INTO client (id, name, directory, settings) VALUES (${CLIENT}, 'Acme', 'acme', $1)`, [
    settings,
  ]);
  await pool.query(`
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, ${CLIENT}, 'import', 'rows'), (9000, ${CLIENT}, 'master', 'master');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (6000, ${CLIENT}, 9000, 'news', '', '', '', 'html', '')`);
}

/** A mailing that has just been sent to fifty recipients. */
export async function insertSentMailing({ pool }: Database, id: bigint): Promise<void> {
  await pool.query(`
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (${id + 500n}, ${CLIENT}, 'import', '${id}.csv', 1, now(), 'started');
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
      SELECT ${id}, ${id} + n * 1000, n, 'p' || n || '@x.example', '{}', 'queued' FROM generate_series(1, ${RECIPIENTS}) n;
    INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status)
      SELECT ${id}, ${id} + n * 1000, 1, CASE WHEN n % 10 = 0 THEN 'unknown' ELSE 'sent' END::delivery_status FROM generate_series(1, ${RECIPIENTS}) n;
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, recipient_list_id, name, test, status, started_at, finished_at, finished_ticket)
      VALUES (${id}, ${CLIENT}, ${id + 500n}, 6000, 8000, 'news', false, 'finished', now(), now(), take_ticket(${CLIENT}));
    INSERT INTO link (mailing_id, ordinal, purpose, name, url, personalised) VALUES
      (${id}, 1, 'pixel', 'pixel', '', false), (${id}, 3, 'click', 'Shop', 'https://shop.example/', false)`);
}

/**
 * A session that records events until it is told to stop: batches as the gateway does, and now and then one that keeps its
 * ticket open for a while.
 */
export async function writeEvents(db: Database, mailings: readonly bigint[], random: Random, stop: AbortSignal) {
  while (!stop.aborted) {
    const events = Array.from({ length: 1 + random.below(20) }, () => makeEvent(random.of(mailings), random));
    if (random.below(4) > 0) await insertEvents(db, events);
    else await insertSlowly(db, events[0], random.below(30));
    await pause(random.below(10));
  }
}

const makeEvent = (mailingId: bigint, random: Random): RecordedEvent => ({
  id: randomUUID(),
  mailingId,
  recipientId: mailingId + BigInt(1 + random.below(Number(RECIPIENTS))) * 1_000n,
  ...random.of([
    { kind: 'open', linkOrdinal: 1 },
    { kind: 'click', linkOrdinal: 3 },
    { kind: 'unsubscribe', linkOrdinal: 2 },
  ] as const),
  occurredAt: new Date(),
  browser: 'Firefox 140',
  platform: 'Windows 11',
  device: 'Desktop',
  verdict: 'human',
  verdictRule: 'default',
  userAgent: null,
});

/** Takes its ticket, writes, and commits later. */
async function insertSlowly(db: Database, event: RecordedEvent | undefined, forMs: number): Promise<void> {
  if (!event) return;
  await db.transaction(async (sql) => {
    await sql.query(
      `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, browser, platform, device, verdict, verdict_rule)
       VALUES ($1, $2, $3, take_ticket($3), $4, $5, $6, now(), '', '', '', 'human', '')`,
      [event.mailingId, event.id, CLIENT, event.recipientId, event.kind, event.linkOrdinal],
    );
    await pause(forMs);
  });
}
