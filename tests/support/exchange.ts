import { type InboxDirectory, inboxPaths, logsPath } from '@postloop/contracts';
import { formatRow, type Row } from '@postloop/csv-dialect';
import { type Halt, selectHalts } from '@postloop/db';
import { until } from './until.js';
import type { TestClient, World } from './world.js';

/** Lays a file into an inbox as a customer does, and asks for no poll. */
export async function lay(
  { sftp }: World,
  client: TestClient,
  name: string,
  content: readonly Row[] | string = '',
  directory: InboxDirectory = 'import',
): Promise<void> {
  const bytes = Buffer.from(typeof content === 'string' ? content : content.map(formatRow).join(''));
  await sftp.putAtomic(`${inboxPaths(client.directory, directory).inbox}/${name}`, bytes);
}

export async function poll({ producer }: World, client: TestClient): Promise<void> {
  await producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
}

/** Both: an order, most often. */
export async function send(
  world: World,
  client: TestClient,
  name: string,
  content: readonly Row[] | string = '',
): Promise<void> {
  await lay(world, client, name, content);
  await poll(world, client);
}

/** Waits until the file lies in that place of its directory cycle. */
export async function untilLies(
  { sftp }: World,
  client: TestClient,
  place: 'done' | 'failed',
  name: string,
  directory: InboxDirectory = 'import',
): Promise<void> {
  const path = `${inboxPaths(client.directory, directory)[place]}/${name}`;
  await until(`${path} is there`, async () => (await sftp.stat(path)) ?? undefined);
}

/** Names that wait in an inbox. */
export async function waiting(
  { sftp }: World,
  client: TestClient,
  directory: InboxDirectory = 'import',
): Promise<string[]> {
  const files = await sftp.list(inboxPaths(client.directory, directory).inbox);
  return files.flatMap(({ name, isDirectory }) => (isDirectory ? [] : [name]));
}

export async function haltOf({ db }: World, client: TestClient): Promise<Halt | undefined> {
  return (await selectHalts(db.pool, client.id))[0];
}

/** Text of `<name>.error.csv`; undefined when there is none. */
export async function errorsOf(
  { sftp }: World,
  client: TestClient,
  name: string,
  extension = 'csv',
): Promise<string | undefined> {
  const path = `${logsPath(client.directory)}/${name}.error.${extension}`;
  return (await sftp.stat(path)) ? (await sftp.readAll(path, 1 << 20)).toString() : undefined;
}
