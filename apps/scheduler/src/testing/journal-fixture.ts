import type { WrittenClientSettings } from '@postloop/contracts';
import { acceptImport, type Database, finishMailing, startMailings } from '@postloop/db';

export const CLIENT = 5_000n;
export const IMPORT = 10_000n;
export const MAILING = 20_000n;
export const FILE = '20261121120000_subscribers.csv';

/** One client with a claimed file and its mailing, of four rows; everything else is emptied. */
export async function insertClaimedFile({ pool }: Database, settings: WrittenClientSettings = {}): Promise<void> {
  await pool.query(`
    TRUNCATE client, mailing_recipient, delivery, event, response CASCADE;
    INSERT INTO client (id, name, directory, time_zone) VALUES (${CLIENT}, 'Acme', 'acme', 'Europe/Berlin');
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, ${CLIENT}, 'import', 'list');
    INSERT INTO recipient_list_field (list_id, ordinal, name, type, length, required, role) VALUES
      (8000, 1, 'Email', 'varchar', 255, true, 'email'), (8000, 2, 'BROADMAIL_ID', 'bigint', NULL, true, 'broadmail_id'),
      (8000, 3, 'WAVE_ID', 'bigint', NULL, false, 'wave_id');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (6000, ${CLIENT}, 8000, 'news', '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status)
      VALUES (${IMPORT}, ${CLIENT}, 'import', '${FILE}', 1234, now(), 'claimed');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, recipient_list_id, name, test)
      VALUES (${MAILING}, ${CLIENT}, ${IMPORT}, 6000, 8000, 'news', false);
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status, reason) VALUES
      (${MAILING}, 31000, 1, 'a@x.example', '{}', 'queued', NULL), (${MAILING}, 32000, 2, 'b@x.example', '{}', 'suppressed', 'unsubscribed'),
      (${MAILING}, 33000, 3, 'c@x', '{}', 'invalid', 'address:1'), (${MAILING}, 34000, 4, 'a@x.example', '{}', 'duplicate', NULL);
    INSERT INTO send_batch (mailing_id, ordinal, first_id, last_id, recipients, status) VALUES (${MAILING}, 0, 31000, 31000, 1, 'queued');`);
  await pool.query('UPDATE client SET settings = $1', [JSON.stringify(settings)]);
}

const counts = { queued: 1n, suppressed: 1n, invalid: 1n, duplicate: 1n };

/** The importer accepts the file. */
export async function acceptFile(db: Database): Promise<void> {
  await db.transaction((sql) =>
    acceptImport(sql, IMPORT, { sha256: Buffer.alloc(32), rows: 4n, blankLines: 0n, counts }),
  );
}

/** The factory starts its mailing. */
export async function startFile(db: Database): Promise<void> {
  await db.transaction((sql) => startMailings(sql, IMPORT, new Date()));
}

/** The one mail is sent, and the mailing is over. */
export async function finishFile(db: Database): Promise<void> {
  await db.pool.query(`
    INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status) VALUES (${MAILING}, 31000, 1, 'sent');
    UPDATE send_batch SET status = 'done'`);
  await db.transaction((sql) => finishMailing(sql, MAILING));
}
