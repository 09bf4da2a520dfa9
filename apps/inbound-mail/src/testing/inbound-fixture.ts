import { randomBytes } from 'node:crypto';
import { systemClock } from '@postloop/contracts';
import type { Database } from '@postloop/db';
import { openTestDatabase } from '@postloop/db/testing';
import { createKeyring, messageIdLocalPart, returnPathLocalPart } from '@postloop/mail-domain';
import { createLogger } from '@postloop/service-kit';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { configSchema } from '../config.js';
import { start } from '../service.js';
import { SmtpClient } from './smtp-client.js';

const MAILING = 20_000n;
/** Beyond 2^53: a number would lose its last digits. */
export const ADA = 9_007_199_254_740_993_000n;
export const BOB = 9_007_199_254_740_994_000n;
export const DOMAIN = 'bounces.shop.example';

const secret = randomBytes(32);
export const keyring = createKeyring({ keys: [{ id: 1, secret }], current: 1 });
export const returnPathOf = (recipient: bigint, mailing = MAILING) =>
  `${returnPathLocalPart(keyring, mailing, recipient)}@${DOMAIN}`;
export const messageIdOf = (recipient: bigint, mailing = MAILING) =>
  `<${messageIdLocalPart(keyring, mailing, recipient)}@${DOMAIN}>`;

/** A service on a database of its own, with a mail that was sent to ada@x.example and one to bob@x.example. */
export async function openInbound(settings: Record<string, string> = {}) {
  const opened = await openTestDatabase();
  await insertMails(opened.db);
  const metrics = new Registry();
  const config = configSchema.parse({
    DATABASE_URL: opened.url,
    TOKEN_KEYS: `1:${secret.toString('base64')}`,
    RETURN_PATH_DOMAIN: DOMAIN,
    INBOUND_HOST: '127.0.0.1',
    INBOUND_SMTP_PORT: '0',
    INBOUND_ADDRESSES: 'service@shop.example',
    ...settings,
  });
  const service = await start(config, { log: createLogger('inbound-mail', 'fatal'), metrics, clock: systemClock });
  return {
    db: opened.db,
    port: service.port,
    metrics,
    connect: () => SmtpClient.connect(service.port),
    /** Waits until every message that was stored has been looked at. */
    settled: () => untilSettled(opened.db),
    responses: () => responsesOf(opened.db),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

export type Inbound = Awaited<ReturnType<typeof openInbound>>;

export async function untilSettled({ pool }: Database): Promise<{ status: string; reason: string | null }[]> {
  const statuses = async () =>
    (
      await pool.query<{ status: string; reason: string | null }>(
        'SELECT status, reason FROM inbound_message ORDER BY id',
      )
    ).rows;
  await expect
    .poll(async () => (await statuses()).map(({ status }) => status), { timeout: 40_000 })
    .not.toContain('received');
  return statuses();
}

async function responsesOf({ pool }: Database) {
  const { rows } = await pool.query<{ recipient: bigint; category: string; kind: string; code: string | null }>(
    'SELECT recipient_id AS recipient, category, kind, status_code AS code FROM response ORDER BY ticket, id',
  );
  return rows;
}

/** Puts everything back to where nothing has come in. */
export async function forgetAll({ pool }: Database): Promise<void> {
  await pool.query(
    'TRUNCATE inbound_message, response, event, suppression, suppression_pattern, bounce_count, export_ticket',
  );
}

async function insertMails({ pool }: Database): Promise<void> {
  await pool.query(`
    INSERT INTO client (id, name, directory) VALUES (5000, 'Acme', 'acme');
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, 5000, 'master', 'master');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (6000, 5000, 8000, 'news', '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (10000, 5000, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, status, started_at)
      VALUES (${MAILING}, 5000, 10000, 6000, 7000, 8000, 'news', false, 'sending', now());
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status) VALUES
      (${MAILING}, ${ADA}, 1, 'Ada@x.example', '{}', 'queued'), (${MAILING}, ${BOB}, 2, 'bob@x.example', '{}', 'queued')`);
}
