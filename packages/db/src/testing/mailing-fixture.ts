import type { Database } from '../database.js';

export const MAILING = 20_000n;
/** Beyond 2^53: a number would lose its last digits. */
export const RECIPIENTS = [0n, 1n, 2n, 3n].map((i) => 9_007_199_254_740_993_000n + i * 1_000n);

/** One client, one sending mailing with one queued batch of four; everything else is emptied. */
export async function insertMailing({ pool }: Database): Promise<void> {
  await pool.query(`
    TRUNCATE client, mailing_recipient, delivery, event, event_earlier, response CASCADE;
    INSERT INTO client (id, name, directory) VALUES (5000, 'Acme', 'acme');
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, 5000, 'master', 'master');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (6000, 5000, 8000, 'news', '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (10000, 5000, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, status, started_at)
      VALUES (${MAILING}, 5000, 10000, 6000, 7000, 8000, 'news', false, 'sending', now());
    INSERT INTO send_batch (mailing_id, ordinal, first_id, last_id, recipients)
      VALUES (${MAILING}, 0, ${RECIPIENTS[0]}, ${RECIPIENTS.at(-1)}, ${RECIPIENTS.length});
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
      SELECT ${MAILING}, id, row_number() OVER (), 'r' || id || '@x.example', '{}', 'queued' FROM unnest(ARRAY[${RECIPIENTS.join(', ')}]::bigint[]) id`);
}
