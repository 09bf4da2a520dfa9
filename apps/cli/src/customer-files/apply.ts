import {
  type ClientSummary,
  type Database,
  type SourceMailing,
  SourceMailingInUse,
  selectClientNamed,
  selectMasterList,
  selectMasterListName,
  upsertClient,
  upsertMasterList,
  upsertSourceMailing,
} from '@postloop/db';
import { Problem } from '../support/problem.js';
import type { ClientFile } from './client-file.js';
import type { SourceFiles } from './source-files.js';

export interface AppliedClient {
  id: bigint;
  listId: bigint;
  directory: string;
}

/** Makes or changes the client that a file describes; the name says which. @throws Problem */
export async function applyClient(db: Database, file: ClientFile): Promise<AppliedClient> {
  const { schedules, masterList, modules, files, sending, onError, notices, locale, content, retention, ...rest } =
    file;
  const { export: responseFiles, ...facts } = rest;
  await checkApplicable(db, file);
  const settings = { modules, files, sending, onError, notices, locale, content, export: responseFiles, retention };
  const client = await upsertClient(db, { ...facts, settings }, schedules);
  return {
    id: client.id,
    listId: await upsertMasterList(db, client.id, masterList.name, masterList.fields),
    directory: client.directory,
  };
}

/** What stands in the database and the file's wishes may be at odds. @returns the client as it is; undefined when it is new */
export async function checkApplicable(
  { pool }: Database,
  { name, directory, masterList }: ClientFile,
): Promise<ClientSummary | undefined> {
  const holder = await selectClientNamed(pool, directory);
  if (holder && holder.directory === directory && holder.name !== name)
    throw new Problem(
      `the directory ${directory} belongs to the client "${holder.name}"`,
      'Choose another directory, or keep the name of that client.',
    );
  const client = await selectClientNamed(pool, name);
  if (client?.name !== name) return undefined;
  const other = await selectMasterListName(pool, client.id);
  if (other !== undefined && other !== masterList.name)
    throw new Problem(
      `the master list of "${name}" is named "${other}", not "${masterList.name}"`,
      'Keep its name: a client has one master list, and its files are read by it.',
    );
  return client;
}

/** Makes or changes source mailings of a client; their names say which. */
export async function applySourceMailings(
  db: Database,
  client: Pick<AppliedClient, 'id' | 'listId'>,
  sources: readonly SourceFiles[],
): Promise<SourceMailing[]> {
  const applied: SourceMailing[] = [];
  for (const { folder, files, ...content } of sources)
    applied.push(
      await upsertSourceMailing(db, { ...content, clientId: client.id, listId: client.listId }).catch(tellInUse),
    );
  return applied;
}

function tellInUse(error: unknown): never {
  if (!(error instanceof SourceMailingInUse)) throw error;
  throw new Problem(error.message, 'Try again in a moment: its copy is made of what was there before.');
}

/** The client of that name, directory or ID, with its master list. @throws Problem */
export async function requireClient(
  { pool }: Database,
  text: string,
): Promise<ClientSummary & { list: NonNullable<Awaited<ReturnType<typeof selectMasterList>>> }> {
  const client = await selectClientNamed(pool, text);
  if (!client)
    throw new Problem(`there is no client "${text}"`, 'See `postloop client list`, or apply its client.json.');
  const list = await selectMasterList(pool, client.id);
  if (!list)
    throw new Problem(
      `the client "${client.name}" has no master list`,
      'Apply its client.json: `postloop client apply FOLDER`.',
    );
  return { ...client, list };
}
