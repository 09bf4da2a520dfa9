import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Database, insertMailingContent } from '@postloop/db';
import { openTestDatabase } from '@postloop/db/testing';
import { type AppProcess, type SmtpInbox, startApp, startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { compileMail } from '@postloop/mail-domain';
import { createProducer, type Producer, prepareQueueBackend, type QueueConnection } from '@postloop/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';

// The compiled app as a process, on a real PostgreSQL: one client on the default transport, one on a server that takes
// connections and says nothing, one on a transport that nobody configured.

const PASSWORD = 'Passw0rd-of-the-hung-one';
const PEM = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const BATCHES = 8;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let db: Database;
let inbox: SmtpInbox;
let hung: Server;
let hungPort: number;
let app: AppProcess;
let producer: Producer;

beforeAll(async () => {
  directory = await temporaryDirectory();
  database = await openTestDatabase();
  db = database.db;
  inbox = await startSmtpInbox({ dir: join(directory.path, 'inbox') });
  hung = createServer(refuseOneLoginThenHang()).listen(0, '127.0.0.1');
  await once(hung, 'listening');
  hungPort = (hung.address() as AddressInfo).port;
  const queue: QueueConnection = { backend: 'postgres', url: database.url, prefix: 'postloop' };
  await prepareQueueBackend(queue);
  producer = createProducer(queue, { warn: () => undefined });
  app = await startApp('sender-workers', { env: environment(), logFile: join(directory.path, 'app.log') });
});
afterAll(async () => {
  await app?.stop();
  await producer?.[Symbol.asyncDispose]();
  hung?.close();
  await inbox?.stop();
  await database?.[Symbol.asyncDispose]();
  await directory?.[Symbol.asyncDispose]();
});

/** The first connection may say its password, and has it repeated; none of the others hears anything. */
function refuseOneLoginThenHang(): (socket: Socket) => void {
  let first = true;
  return (socket) => {
    socket.on('error', () => undefined);
    if (!first) return;
    first = false;
    socket.write('220 hello\r\n');
    socket.on('data', (line) =>
      socket.write(`${line}`.startsWith('EHLO') ? '250-hello\r\n250 AUTH PLAIN\r\n' : `535 what is ${line}`),
    );
  };
}

function environment(): Record<string, string> {
  const url = `smtp://shop:${PASSWORD}@127.0.0.1:${hungPort}`;
  return {
    DATABASE_URL: database.url,
    QUEUE_BACKEND: 'postgres',
    PUBLIC_URL: 'http://track.example',
    TOKEN_KEYS: `1:${Buffer.alloc(32, 7).toString('base64')}`,
    RETURN_PATH_DOMAIN: 'bounce.shop.example',
    HEALTH_HOST: '127.0.0.1',
    LOG_LEVEL: 'trace',
    LEASE_MS: '2000',
    SMTP_URL: inbox.url,
    SMTP_CONNECTIONS: '2',
    SEND_CONCURRENCY: '1',
    SMTP_TRANSPORTS: JSON.stringify({ hung: { url, connections: 1, requireTls: false } }),
    DKIM_KEYS: JSON.stringify([{ domain: 'shop.example', selector: 's', algorithm: 'ed25519', key: PEM }]),
  };
}

/** A client on a transport, with a mailing that is being sent: one recipient a batch. */
async function insertMailing(client: number, transport: string | null): Promise<bigint> {
  const id = (offset: number) => BigInt(client * 1_000_000 + offset * 1_000);
  const mailing = id(5);
  await db.pool.query(`
    INSERT INTO client (id, name, directory, transport)
      VALUES (${id(1)}, 'c${client}', 'c${client}', ${transport === null ? 'NULL' : `'${transport}'`});
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (${id(2)}, ${id(1)}, 'master', 'master');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (${id(3)}, ${id(1)}, ${id(2)}, 'news', '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status)
      VALUES (${id(4)}, ${id(1)}, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test, status, started_at)
      VALUES (${mailing}, ${id(1)}, ${id(4)}, ${id(3)}, 7000, ${id(2)}, 'news', false, 'sending', now());
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
      SELECT ${mailing}, ${id(100)} + n * 1000, n + 1, 'r' || n || '@c${client}.example', '{}', 'queued' FROM generate_series(0, ${BATCHES - 1}) n;
    INSERT INTO send_batch (mailing_id, ordinal, first_id, last_id, recipients)
      SELECT ${mailing}, n, ${id(100)} + n * 1000, ${id(100)} + n * 1000, 1 FROM generate_series(0, ${BATCHES - 1}) n`);
  const source = { fields: [], subject: 'News', fromName: 'Shop', fromAddress: 'news@shop.example', replyTo: null };
  const program = compileMail({ ...source, html: '<p>Hello</p>', text: null, linkTracking: false });
  await insertMailingContent(db.pool, mailing, { contentHash: Buffer.alloc(32), source, program });
  return mailing;
}

const enqueue = (mailingId: bigint) =>
  producer.enqueueAll(
    'mailSend',
    Array.from({ length: BATCHES }, (_, batch) => ({ v: 1 as const, mailingId, batch })),
  );

async function statuses(mailing: bigint): Promise<string> {
  const { rows } = await db.pool.query<{ status: string }>(
    'SELECT status::text FROM send_batch WHERE mailing_id = $1 ORDER BY ordinal',
    [mailing],
  );
  return rows.map(({ status }) => status).join(' ');
}

const receivedBy = (client: number) =>
  inbox
    .journal()
    .filter(
      ({ type, envelopeTo }) => type === 'accepted' && envelopeTo.some((to) => to.endsWith(`@c${client}.example`)),
    );

const log = () => readFileSync(join(directory.path, 'app.log'), 'utf8');

it('a transport that hangs, and one that is unknown, hold up nobody else', async () => {
  const onHung = await insertMailing(2, 'hung');
  const onUnknown = await insertMailing(3, 'forgotten');
  const onDefault = await insertMailing(4, null);
  for (const mailing of [onHung, onUnknown, onDefault]) await enqueue(mailing);

  await inbox.waitForAccepted(BATCHES);
  await expect.poll(() => statuses(onDefault), { timeout: 20_000 }).toBe(Array(BATCHES).fill('done').join(' '));
  expect(receivedBy(4)).toHaveLength(BATCHES);
  expect((await statuses(onHung)).split(' ').filter((status) => status !== 'queued')).toEqual(['claimed']);
  expect(await statuses(onUnknown)).toBe(Array(BATCHES).fill('queued').join(' '));
  const told = log()
    .split('\n')
    .filter((line) => line.includes('not configured'));
  expect(told).toHaveLength(1);
  expect(JSON.parse(told[0] ?? '')).toMatchObject({
    level: 'error',
    transport: 'forgotten',
    known: ['default', 'hung'],
  });
});

it('mails are signed', () => {
  const [entry] = receivedBy(4);
  const mail = entry ? inbox.raw(entry).toString('latin1') : '';
  expect(mail).toMatch(/^DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed\/simple; d=shop\.example;/);
});

it('no secret is in the log, a queue or the database', async () => {
  const secrets = [PASSWORD, Buffer.from(PASSWORD).toString('base64'), PEM.split('\n')[1] ?? PASSWORD];
  const tables = await db.pool.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  expect(tables.rows.length).toBeGreaterThan(20);
  expect(log()).toContain('535 what is AUTH PLAIN ***');
  for (const secret of secrets) {
    expect(log()).not.toContain(secret);
    for (const { name } of tables.rows) {
      const found = await db.pool.query(`SELECT 1 FROM ${name} t WHERE strpos(t::text, $1) > 0`, [secret]);
      expect([name, found.rowCount]).toEqual([name, 0]);
    }
  }
});

it('a worker stops at once although a server does not answer', async () => {
  const from = performance.now();
  expect(await app.stop()).toMatchObject({ code: 0 });
  expect(performance.now() - from).toBeLessThan(10_000);
});
