import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clientDirectories, defaultClientSettings, inboxFileName, inboxPaths } from '@postloop/contracts';
import {
  type Database,
  deployMigrations,
  openDatabase,
  selectMailingToSend,
  startDueMailings,
  upsertClient,
  upsertMasterList,
  upsertSourceMailing,
} from '@postloop/db';
import { type AppName, type House, type Stack, startHouse, startStack } from '@postloop/local-stack';
import { createKeyring, createRenderer } from '@postloop/mail-domain';
import { createProducer, type Producer, prepareQueueBackend } from '@postloop/queue';
import { csvLine, htmlOf, LIST_FIELDS, type MailShape, textOf, valuesOf } from './campaign-mail.js';
import { type SftpHost, startSftpHost } from './sftp-host.js';

const DIRECTORY = 'bench';
const NEVER = '0 0 1 1 *';
const DAY_MS = 24 * 60 * 60 * 1_000;

export interface CampaignOptions {
  dir: string;
  /** Apps that run from the start. */
  apps: readonly AppName[];
  mail: MailShape;
  /** Of the recipient files, the first ones; all by default. With fewer than the mail names no mailing is built. */
  columns?: number;
  /** Mailings wait for `start`. */
  held?: boolean;
  env?: Record<string, string>;
  /** Files go over OpenSSH's server, a process of its own, and not over the stack's, which runs in this one. */
  openSsh?: boolean;
}

/** A client with one source mailing, and what brings its recipients in, on servers of its own. */
export interface Campaign extends AsyncDisposable {
  stack: Stack;
  /** With `openSsh`. */
  sftpHost: SftpHost | undefined;
  house: House;
  db: Database;
  producer: Producer;
  clientId: bigint;
  sourceId: bigint;
  /** Writes a file of so many recipients beside the inbox. @returns what renames it into place and asks for a look at once */
  stage(rows: number): Promise<() => Promise<string>>;
  /** A mailing of so many recipients that waits for its time. */
  prepare(rows: number): Promise<bigint>;
  /** Its time has come. */
  start(): Promise<void>;
  /** Makes the mail to the recipient of a row, as a sender does. */
  renderer(mailingId: bigint): Promise<(row: number) => Buffer>;
  /** Of the mail to one of its recipients, on the wire. */
  mailBytes(mailingId: bigint): Promise<number>;
}

export async function openCampaign({
  dir,
  apps,
  mail,
  held = false,
  columns = LIST_FIELDS.length,
  env = {},
  openSsh = false,
}: CampaignOptions): Promise<Campaign> {
  const stack = await startStack({ dir, queue: 'redis' });
  await deployMigrations(stack.databaseUrl);
  const queue = { backend: 'redis', url: stack.redis?.url ?? '', prefix: 'postloop' } as const;
  await prepareQueueBackend(queue);
  const sftpHost = openSsh ? await startSftpHost(join(dir, 'ssh'), stack.sftpRoot) : undefined;
  const appEnv = { STILLNESS_MS: '50', ...sftpHost?.env, ...env };
  const house = await startHouse(stack, { dir, env: appEnv, apps, nodeArgs: nodeArgs() });
  const db = openDatabase({ url: stack.databaseUrl, poolMax: 2, onError: () => undefined });
  const producer = createProducer(queue, { warn: () => undefined });
  const ids = await addClient(db, stack, { mail, held, columns });
  let files = 0;
  let staged = 0;

  const stage: Campaign['stage'] = async (rows) => {
    const { inbox } = inboxPaths(DIRECTORY, 'import');
    const path = join(stack.sftpRoot, inbox);
    files += 1;
    const name = inboxFileName(defaultClientSettings.files.name, new Date(Date.UTC(2026, 0, 1) + files * 1_000));
    const first = staged;
    await writeRows(join(path, `${name}.tmp`), rows, (row) => csvLine(ids.sourceId, first + row, columns));
    staged += rows;
    return async () => {
      await rename(join(path, `${name}.tmp`), join(path, name));
      await producer.enqueue('inboxPoll', { v: 1, clientId: ids.clientId });
      return name;
    };
  };
  return {
    ...{ stack, sftpHost, house, db, producer, stage },
    ...ids,
    async prepare(rows) {
      const name = await (await stage(rows))();
      return startedMailing(db, name);
    },
    async start() {
      const { batches } = await startDueMailings(db.pool, new Date(Date.now() + DAY_MS));
      await producer.enqueueAll(
        'mailSend',
        batches.map((batch) => ({ v: 1 as const, ...batch })),
      );
    },
    renderer: (mailingId) => rendererOf(db, house, mailingId),
    mailBytes: async (mailingId) => (await rendererOf(db, house, mailingId))(0).length,
    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
      await house.stop();
      await sftpHost?.stop();
      await stack.stop();
    },
  };
}

async function addClient(
  db: Database,
  { sftpRoot }: Stack,
  { mail, held, columns }: Required<Pick<CampaignOptions, 'mail' | 'held' | 'columns'>>,
): Promise<{ clientId: bigint; sourceId: bigint }> {
  const client = { name: 'Bench', directory: DIRECTORY, timeZone: 'UTC' };
  const { id: clientId } = await upsertClient(db, client, { inbox_poll: NEVER, response_export: NEVER });
  const listId = await upsertMasterList(db, clientId, 'master', LIST_FIELDS.slice(0, columns));
  const { id: sourceId } = await upsertSourceMailing(db, {
    ...{ clientId, listId, name: 'news', subject: 'News for {{Field 1}}', fromName: 'Shop' },
    ...{ fromAddress: 'news@shop.example', replyTo: null, bodyFormat: 'html', linkTracking: true },
    sendAt: held ? inTwelveHours() : null,
    ...{ body: htmlOf(mail), textBody: textOf(mail) },
  });
  for (const directory of clientDirectories(DIRECTORY)) await folderIn(sftpRoot, directory);
  return { clientId, sourceId };
}

/** @param lineOf makes a row, counted from 0, with its line break */
export async function writeRows(path: string, rows: number, lineOf: (row: number) => string): Promise<void> {
  const file = createWriteStream(path);
  for (let from = 0; from < rows; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, rows - from) }, (_, i) => lineOf(from + i));
    if (!file.write(some.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

/** Waits until the mailing of a file is under way: from then on its batches are in the queue. */
export async function startedMailing({ pool }: Database, fileName: string): Promise<bigint> {
  for (;;) {
    const { rows } = await pool.query<{ id: string; status: string; faults: unknown }>(
      `SELECT m.id, i.status, i.faults FROM import i LEFT JOIN mailing m ON m.import_id = i.id WHERE i.file_name = $1`,
      [fileName],
    );
    const [found] = rows;
    if (found?.status === 'failed') throw new Error(`${fileName} failed: ${JSON.stringify(found.faults)}`);
    if (found?.status === 'started') return BigInt(found.id);
    await pause(20);
  }
}

async function rendererOf(db: Database, { env }: House, mailingId: bigint): Promise<(row: number) => Buffer> {
  const mailing = await selectMailingToSend(db.pool, mailingId);
  if (!mailing) throw new Error(`mailing ${mailingId} has no content`);
  const renderer = createRenderer(mailing.program, {
    keyring: createKeyring({ keys: [{ id: 1, secret: Buffer.alloc(32) }], current: 1 }),
    publicUrl: env.PUBLIC_URL ?? '',
    returnPathDomain: env.RETURN_PATH_DOMAIN ?? '',
    ...{ mailingId, clientId: mailing.clientId, listId: `${mailing.recipientListId}.${env.RETURN_PATH_DOMAIN}` },
  });
  return (row) => {
    const [email = '', ...fields] = valuesOf(mailingId, row);
    return renderer.render({ id: mailingId, email, fields: [email, ...fields] }, new Date()).data;
  };
}

/** A folder that lies in `dir` and is there. */
export async function folderIn(dir: string, name: string): Promise<string> {
  const path = join(dir, name);
  await mkdir(path, { recursive: true });
  return path;
}

/** `BENCH_NODE_ARGS='--cpu-prof --cpu-prof-dir=DIR'` profiles the apps: a profile is written when an app stops. */
function nodeArgs(): string[] {
  return (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((word) => word !== '');
}

/** So that no mailing of a run starts by itself. */
function inTwelveHours(): string {
  return `${new Date(Date.now() + DAY_MS / 2).toISOString().slice(11, 16)} UTC`;
}
