import type { Database } from '@postloop/db';

/** Beyond 2^53: a number would lose its last digits. */
export const ANNA = 9_007_199_254_740_993_000n;

/** Client 5000; mailing `id` started now, to Anna alone: pixel 1, unsubscribe 2, static link 3. */
export async function insertSentMailing({ pool }: Database, id: bigint): Promise<void> {
  await pool.query(`
    INSERT INTO client (id, name, directory) VALUES (5000, 'Acme', 'acme') ON CONFLICT DO NOTHING;
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, 5000, 'master', 'master') ON CONFLICT DO NOTHING;
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (6000, 5000, 8000, 'news', '', '', '', 'html', '') ON CONFLICT DO NOTHING;
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status)
      VALUES (${id + 1n}, 5000, 'import', '${id}.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, status, started_at)
      VALUES (${id}, 5000, ${id + 1n}, 6000, 7000, 8000, 'news', false, 'sending', now());
    INSERT INTO link (mailing_id, ordinal, purpose, name, url, personalised) VALUES
      (${id}, 1, 'pixel', 'pixel', '', false),
      (${id}, 2, 'unsubscribe', 'unsubscribe', '', false),
      (${id}, 3, 'click', 'Shop', 'https://shop.example/?mailing=${id}', false);
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
      VALUES (${id}, ${ANNA}, 1, 'Anna@example.com', '{Anna@example.com,6000}', 'queued');`);
}
