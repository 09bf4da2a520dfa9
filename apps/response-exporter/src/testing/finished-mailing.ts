import type { WrittenClientSettings } from '@postloop/contracts';
import { type Database, insertEvents, type RecordedEvent } from '@postloop/db';

export const CLIENT = 5_000n;
export const MAILING = 20_000n;
/** Beyond 2^53: a number would lose its last digits. */
export const ANNA = 9_007_199_254_740_993_000n;
export const BOB = 9_007_199_254_740_994_000n;
export const CARL = 9_007_199_254_740_995_000n;
export const DORA = 9_007_199_254_740_996_000n;

const PROGRAM = {
  version: 1,
  links: [
    {
      ordinal: 4,
      purpose: 'click',
      name: 'Account',
      target: ['https://shop.example/a/', { field: 2, escape: 'url' }],
      personalised: true,
    },
    { ordinal: 5, purpose: 'click', name: 'Own page', target: [{ field: 3, escape: 'url-start' }], personalised: true },
  ],
};

/**
 * A client in Berlin with one finished mailing: Anna and Bob got it (Bob's answer from the server is unknown), Carl is
 * suppressed, Dora was refused, and one row each was invalid and a duplicate.
 */
export async function insertFinishedMailing({ pool }: Database): Promise<void> {
  await pool.query(`
    INSERT INTO client (id, name, directory, time_zone) VALUES (5000, 'Acme', 'acme', 'Europe/Berlin');
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, 5000, 'import', 'rows'), (9000, 5000, 'master', 'master');
    INSERT INTO campaign (id, client_id, name) VALUES (7000, 5000, 'news');
    INSERT INTO source_mailing (id, client_id, list_id, name, campaign_id, subject, from_name, from_address, body_format, body)
      VALUES (6000, 5000, 9000, 'news', 7000, '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (10000, 5000, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, status, started_at, finished_at, finished_ticket)
      VALUES (20000, 5000, 10000, 6000, 7000, 8000, 'news', false, 'finished', '2026-07-01 08:00:00Z', '2026-07-01 08:05:00Z', take_ticket(5000));
    INSERT INTO link (mailing_id, ordinal, id, purpose, name, url, personalised) VALUES
      (20000, 1, 21000, 'pixel', 'pixel', '', false),
      (20000, 2, 22000, 'unsubscribe', 'unsubscribe', '', false),
      (20000, 3, 23000, 'click', E'Shop;\n"now"', 'https://shop.example/?a=1&b=2', false),
      (20000, 4, 24000, 'click', 'Account', 'https://shop.example/a/{{ Name }}', true),
      (20000, 5, 25000, 'click', 'Own page', '{{ Page }}', true);
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status, reason) VALUES
      (20000, ${ANNA}, 1, 'anna@example.com', '{anna@example.com,6000,Anna,https://anna.example/}', 'queued', NULL),
      (20000, ${BOB}, 2, 'bob@example.com', '{bob@example.com,6000,NULL,javascript:alert(1)}', 'queued', NULL),
      (20000, ${CARL}, 3, 'carl@example.com', '{carl@example.com,6000,Carl,NULL}', 'suppressed', 'unsubscribed'),
      (20000, ${DORA}, 4, 'dora@example.com', '{dora@example.com,6000,Dora,NULL}', 'queued', NULL),
      (20000, ${DORA + 1_000n}, 5, 'nobody', '{nobody,6000,Nobody,NULL}', 'invalid', 'address:1'),
      (20000, ${DORA + 2_000n}, 6, 'anna@example.com', '{anna@example.com,6000,Anna,NULL}', 'duplicate', NULL);
    INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status, started_at) VALUES
      (20000, ${ANNA}, 1, 'sent', '2026-07-01 08:01:00Z'),
      (20000, ${BOB}, 1, 'unknown', '2026-07-01 08:02:00Z'),
      (20000, ${DORA}, 1, 'could_not_be_sent', '2026-07-01 08:03:00Z');
    INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, rule, occurred_at)
      VALUES (20000, 5000, take_ticket(5000), ${DORA}, 'fatal_bounce', 'smtp_answer', '2026-07-01 08:03:01Z');`);
  await pool.query(
    `INSERT INTO mailing_content (mailing_id, content_hash, source, program) VALUES (20000, '', '{}', $1)`,
    [JSON.stringify(PROGRAM)],
  );
}

let events = 0;

export function makeEvent(
  kind: RecordedEvent['kind'],
  recipientId: bigint,
  linkOrdinal: number,
  occurredAt: string,
): RecordedEvent {
  events += 1;
  return {
    id: `00000000-0000-7000-8000-${String(events).padStart(12, '0')}`,
    mailingId: MAILING,
    recipientId,
    kind,
    linkOrdinal,
    occurredAt: new Date(occurredAt),
    browser: 'Firefox 140',
    platform: 'Windows 11',
    device: 'Desktop',
    verdict: 'human',
    verdictRule: 'default',
    userAgent: null,
  };
}

export const recordEvents = (db: Database, ...recorded: RecordedEvent[]): Promise<number> => insertEvents(db, recorded);

/** An open, a click and an unsubscribe. */
export const recordOneOfEach = (db: Database): Promise<number> =>
  recordEvents(
    db,
    makeEvent('open', ANNA, 1, '2026-07-01T08:11:00Z'),
    makeEvent('click', ANNA, 3, '2026-07-01T08:12:00Z'),
    makeEvent('unsubscribe', BOB, 2, '2026-07-01T08:14:00Z'),
  );

/** An event whose transaction took its ticket and has not committed. */
export async function beginLateOpen(db: Database): Promise<{ commit(): Promise<void> }> {
  const client = await db.pool.connect();
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, browser, platform, device, verdict, verdict_rule)
     VALUES ($1, gen_random_uuid(), $2, take_ticket($2), $3, 'open', 1, '2026-07-01 09:00:00Z', '', '', '', 'human', 'default')`,
    [MAILING, CLIENT, ANNA],
  );
  return {
    async commit() {
      await client.query('COMMIT');
      client.release();
    },
  };
}

/** What the client chose; the rest has its default. */
export async function choose({ pool }: Database, settings: WrittenClientSettings): Promise<void> {
  await pool.query('UPDATE client SET settings = $2 WHERE id = $1', [CLIENT, settings]);
}

/** The columns of the mailing's recipients, as in their fields above, by their names. */
export const nameFields = (db: Database, ...names: string[]) => nameFieldsOf(db, 8000, names);
/** What the client's files will have from now on. */
export const nameMasterFields = (db: Database, ...names: string[]) => nameFieldsOf(db, 9000, names);

async function nameFieldsOf({ pool }: Database, list: number, names: string[]): Promise<void> {
  await pool.query('DELETE FROM recipient_list_field WHERE list_id = $1', [list]);
  await pool.query(
    `INSERT INTO recipient_list_field (list_id, ordinal, name, type)
     SELECT $2, ordinal, name, 'text' FROM unnest($1::text[]) WITH ORDINALITY AS f(name, ordinal)`,
    [names, list],
  );
}

/** A feedback report about Anna. */
export async function recordComplaint({ pool }: Database): Promise<void> {
  await pool.query(
    `INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, rule, kind, occurred_at, id)
     VALUES (20000, 5000, take_ticket(5000), ${ANNA}, 'unknown', 'arf:abuse', 'arf', '2026-07-01 08:30:00Z', 777000)`,
  );
}
