import { clientDirectories, defaultClientSettings, exportPath, inboxFileName, inboxPaths } from '@postloop/contracts';
import { formatRow, type Row, readRows } from '@postloop/csv-dialect';
import {
  type ClientFacts,
  type Database,
  deployMigrations,
  type ImportReport,
  openDatabase,
  type ResponseFileKind,
  type SourceMailingContent,
  selectExports,
  selectImportReport,
  selectMailingProgress,
  upsertClient,
  upsertMasterList,
  upsertSourceMailing,
} from '@postloop/db';
import {
  type AppName,
  type House,
  type Stack,
  startHouse,
  startStack,
  temporaryDirectory,
} from '@postloop/local-stack';
import { createProducer, type Producer, prepareQueueBackend, type QueueConnection } from '@postloop/queue';
import { connectSftp, type SftpOptions, type SftpSession } from '@postloop/sftp';
import { until } from './until.js';

/** Everything that runs in production, on this machine, with a customer's view of it. */
export interface World extends AsyncDisposable {
  /** Holds everything: `postgres/`, `redis/`, `sftp/`, `inbox/`, `spool/`, `logs/`. */
  dir: string;
  stack: Stack;
  house: House;
  db: Database;
  producer: Producer;
  sftp: SftpSession;
  /** Takes what the apps need to the end, such as a server in place of one that was killed. Disposed after the apps. */
  keep<T extends AsyncDisposable>(part: T): T;
}

/** What it takes to turn a file into mails. */
export const sendingApps: readonly AppName[] = [
  'sftp-ingest',
  'importer',
  'mailing-factory',
  'sender-workers',
  'scheduler',
];

export interface WorldOptions {
  queue?: 'redis' | 'postgres' | 'auto';
  env?: Record<string, string>;
  apps?: readonly AppName[];
  /** Makes ready what the servers will find in their folders; disposed after them. */
  prepare?: (dir: string) => Promise<AsyncDisposable>;
}

export async function openWorld({ queue = 'auto', env = {}, apps, prepare }: WorldOptions = {}): Promise<World> {
  const directory = await temporaryDirectory();
  const dir = directory.path;
  const prepared = await prepare?.(dir);
  const kept: AsyncDisposable[] = [];
  const stack = await startStack({ dir, queue });
  await deployMigrations(stack.databaseUrl);
  const connection = queueOf(stack);
  await prepareQueueBackend(connection);
  const house = await startHouse(stack, {
    dir,
    env: {
      STILLNESS_MS: '50',
      LEASE_MS: '2000',
      JOB_LOCK_MS: '2000',
      RECONCILE_INTERVAL_MS: '300',
      RECONCILE_AFTER_MS: '1500',
      RETRY_SCHEDULE: '1,1,1,1',
      ...env,
    },
    ...(apps ? { apps } : {}),
  });
  const db = openDatabase({ url: stack.databaseUrl, poolMax: 4, onError: () => undefined });
  const producer = createProducer(connection, { warn: () => undefined });
  const sftp = await connectSftp(sftpOf(house.env));
  return {
    dir,
    stack,
    house,
    db,
    producer,
    sftp,
    keep(part) {
      kept.push(part);
      return part;
    },
    async [Symbol.asyncDispose]() {
      await sftp[Symbol.asyncDispose]();
      await producer[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
      await house.stop();
      for (const part of kept.reverse()) await part[Symbol.asyncDispose]();
      await stack.stop();
      await prepared?.[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The customer's account is the one that the apps use. */
export function sftpOf(env: Record<string, string>): SftpOptions {
  const { SFTP_HOST: host = '', SFTP_PORT, SFTP_USERNAME: username = '', SFTP_PASSWORD, SFTP_PRIVATE_KEY } = env;
  return {
    host,
    port: Number(SFTP_PORT),
    username,
    hostKey: env.SFTP_HOST_KEY ?? '',
    root: env.SFTP_ROOT ?? '/',
    ...(SFTP_PRIVATE_KEY ? { privateKey: SFTP_PRIVATE_KEY } : { password: SFTP_PASSWORD ?? '' }),
  };
}

export function queueOf({ redis, databaseUrl }: Stack): QueueConnection {
  const prefix = 'postloop';
  return redis ? { backend: 'redis', url: redis.url, prefix } : { backend: 'postgres', url: databaseUrl, prefix };
}

export interface TestClient {
  id: bigint;
  directory: string;
  /** IDs of its source mailings, in the order given. */
  sources: bigint[];
}

export interface TestSource extends Pick<SourceMailingContent, 'rules' | 'attachments'> {
  subject?: string;
  html?: string;
}

const HTML =
  '<html><body><p>Hello {{ First name }}</p><a href="https://shop.example/news">news</a> <a href="{{ unsubscribe_url }}">leave</a></body></html>';

/** A client with the six columns of the master list and one source mailing or more. Polls and exports only on demand. */
export async function addClient(
  { db, sftp }: World,
  name: string,
  sources: TestSource[] = [{}],
  facts: Partial<ClientFacts> = {},
): Promise<TestClient> {
  const never = '0 0 1 1 *';
  const client = await upsertClient(
    db,
    { name, directory: name, timeZone: 'UTC', ...facts },
    { inbox_poll: never, response_export: never },
  );
  const text = { type: 'varchar', length: 255, required: false, role: null } as const;
  const listId = await upsertMasterList(db, client.id, 'master', [
    { ...text, name: 'Email', role: 'email', required: true },
    { name: 'BROADMAIL_ID', type: 'bigint', length: null, required: true, role: 'broadmail_id' },
    { name: 'WAVE_ID', type: 'bigint', length: null, required: false, role: 'wave_id' },
    { ...text, name: 'Salutation' },
    { ...text, name: 'First name' },
    { ...text, name: 'Last name' },
  ]);
  const made: bigint[] = [];
  for (const [index, { subject = 'News for {{ First name }}', html = HTML, ...more }] of sources.entries()) {
    const source = await upsertSourceMailing(db, {
      clientId: client.id,
      listId,
      name: `source ${index}`,
      subject,
      fromName: 'Shop',
      fromAddress: 'news@shop.example',
      replyTo: null,
      bodyFormat: 'html',
      body: html,
      textBody: null,
      linkTracking: true,
      ...more,
    });
    made.push(source.id);
  }
  await sftp.makeDirectories(clientDirectories(client.directory));
  return { id: client.id, directory: client.directory, sources: made };
}

/** `count` rows with an address each. */
export function rowsFor(client: TestClient, count: number, source = 0): Row[] {
  return Array.from({ length: count }, (_, i) => [
    `p${i}@${client.directory}.example`,
    String(client.sources[source]),
    null,
    'Ms',
    `Ada ${i}`,
    'L',
  ]);
}

let second = 0;

/** Uploads a file as a customer does and asks for a poll. @returns its name */
export async function upload(
  world: World,
  client: TestClient,
  content: readonly Row[] | Buffer,
  name = nextName(),
): Promise<string> {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content.map(formatRow).join(''));
  await world.sftp.putAtomic(`${inboxPaths(client.directory, 'import').inbox}/${name}`, bytes);
  await world.producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
  return name;
}

export function nextName(): string {
  second += 1;
  return inboxFileName(defaultClientSettings.files.name, new Date(Date.UTC(2026, 0, 1) + second * 1000));
}

/** Waits until the file's import has ended one way or the other. */
export async function untilImported({ db }: World, client: TestClient, fileName: string): Promise<ImportReport> {
  return until(`${fileName} is imported`, async () => {
    const report = await selectImportReport(db.pool, client.id, fileName);
    return report && !['claiming', 'claimed', 'imported'].includes(report.status) ? report : undefined;
  });
}

/** Waits until every mailing of the file is finished. @returns their IDs */
export async function untilSent(world: World, client: TestClient, fileName: string): Promise<bigint[]> {
  const report = await untilImported(world, client, fileName);
  if (report.status !== 'started')
    throw new Error(`the import ended ${report.status}: ${JSON.stringify(report.faults)}`);
  return until(`the mailings of ${fileName} are finished`, async () => {
    const mailings = await selectMailingProgress(world.db.pool, report.id);
    return mailings.length > 0 && mailings.every(({ status }) => status === 'finished')
      ? mailings.map(({ id }) => id)
      : undefined;
  });
}

export type ExportedRows = Record<ResponseFileKind, Record<string, string | null>[]>;

/** Asks for an export, waits for it, reads its files from the SFTP server. */
export async function runExport(world: World, client: TestClient): Promise<ExportedRows> {
  const before = (await selectExports(world.db.pool, client.id)).length;
  await world.producer.enqueue('responseExport', { v: 1, clientId: client.id, resume: false });
  return untilExported(world, client, before + 1);
}

/** Waits for the `count`-th export of the client and reads its files. */
export async function untilExported({ db, sftp }: World, client: TestClient, count: number): Promise<ExportedRows> {
  const run = await until(`export ${count} is done`, async () => {
    const runs = await selectExports(db.pool, client.id);
    return runs.length >= count && runs[count - 1]?.status === 'done' ? runs[count - 1] : undefined;
  });
  const files: Partial<ExportedRows> = {};
  for (const { kind, name } of run.files) {
    const [header, ...data] = await readAll(sftp, `${exportPath(client.directory)}/${name}`);
    files[kind] = data.map((row) => Object.fromEntries((header ?? []).map((column, i) => [column, row[i] ?? null])));
  }
  return files as ExportedRows;
}

async function readAll(sftp: SftpSession, path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { values } of readRows(sftp.openRead(path))) rows.push(values);
  return rows;
}
