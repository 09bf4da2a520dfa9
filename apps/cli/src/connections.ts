import { describeError } from '@postloop/contracts';
import { type Database, openDatabase } from '@postloop/db';
import type { Producer, QueueConnection } from '@postloop/queue';
import { ConfigError, parseConfig, queueConnection, Resources, type SftpAccount, sftpOf } from '@postloop/service-kit';
import { connectSftp, type SftpSession } from '@postloop/sftp';
import { z } from 'zod';
import { configGroups, type Settings } from './config.js';
import { explainDatabaseError, explainQueueError, explainSftpError } from './explain.js';
import { Problem } from './support/problem.js';

/** What a command may need; it opens and asks for nothing else. */
export interface Connections {
  db: Database;
  producer: Producer;
  /** The server that a client's directories lie on, connected anew by each call. */
  sftp(client: { sftpAccount: string | null }): Promise<SftpSession>;
}

/**
 * Opens what is named, runs `work`, closes everything. All missing and wrong variables are told together.
 * @throws ConfigError, or Problem with the remedy when a server cannot be reached
 */
export async function withConnections<N extends keyof Connections, T>(
  settings: Settings,
  names: readonly N[],
  work: (opened: Pick<Connections, N>) => Promise<T>,
): Promise<T> {
  const wants = (name: keyof Connections) => (names as readonly string[]).includes(name);
  const config = readConfig(settings, { db: wants('db'), producer: wants('producer'), sftp: wants('sftp') });
  await using resources = new Resources();
  const opened: Partial<Connections> = {};
  if (config.database) opened.db = resources.add(await openChecked(config.database, settings));
  if (config.queue) opened.producer = resources.add(await openProducer(config.queue, settings));
  const { sftp } = config;
  if (sftp) opened.sftp = async (client) => resources.add(await openSftp(accountOf(sftp, client), settings));
  // Every name that was asked for is there now. Awaited here: `return` alone would close first.
  return await work(opened as Pick<Connections, N>);
}

function readConfig({ env }: Settings, wants: Record<keyof Connections, boolean>) {
  const problems: string[] = [];
  const attempt = <R>(wanted: boolean, read: () => R): R | undefined => {
    if (!wanted) return undefined;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const backend = attempt(wants.producer, () => parseConfig(z.object(configGroups.queue), env));
  const needsDatabase = wants.db || backend?.QUEUE_BACKEND === 'postgres';
  const database = attempt(needsDatabase, () => parseConfig(z.object(configGroups.database), env));
  // Only the PostgreSQL queue looks at the database's settings.
  const settings = backend && { ...backend, DATABASE_URL: database?.DATABASE_URL ?? '', DATABASE_POOL: 1 };
  const queue = settings && attempt(true, () => queueConnection(settings));
  const sftp = attempt(wants.sftp, () => parseConfig(z.object(configGroups.sftp), env));
  if (problems.length > 0) throw configProblem(problems);
  return { database: wants.db ? database : undefined, queue, sftp };
}

function accountOf(...[config, client]: Parameters<typeof sftpOf>): SftpAccount {
  try {
    return sftpOf(config, client);
  } catch (error) {
    throw error instanceof ConfigError ? configProblem(error.problems) : error;
  }
}

function configProblem(problems: readonly string[]): Problem {
  return new Problem(
    new ConfigError(problems).message,
    'Set them in the environment, or run this where `postloop up` was started: its .postloop/env holds them.',
    2,
  );
}

interface DatabaseSettings {
  DATABASE_URL: string;
  SUPPRESSION_KEY?: Buffer | undefined;
}

async function openChecked(
  { DATABASE_URL: url, SUPPRESSION_KEY: suppressionKey }: DatabaseSettings,
  settings: Settings,
): Promise<Database> {
  const db = openDatabase({ url, poolMax: 3, suppressionKey, onError: () => undefined });
  try {
    await db.ping();
    return db;
  } catch (error) {
    await db[Symbol.asyncDispose]();
    throw asProblem(explainDatabaseError(error, url), settings);
  }
}

async function openProducer(queue: QueueConnection, settings: Settings): Promise<Producer> {
  // Only here: BullMQ takes a third of a command's time to load.
  const { checkQueueBackend, createProducer } = await import('@postloop/queue');
  try {
    await checkQueueBackend(queue);
  } catch (error) {
    throw asProblem(explainQueueError(error, queue.url), settings);
  }
  return createProducer(queue, {
    warn: (fields, message) => process.stderr.write(`${message} ${describeError(Object.values(fields).join(' '))}\n`),
  });
}

async function openSftp(options: SftpAccount, settings: Settings): Promise<SftpSession> {
  try {
    return await connectSftp(options);
  } catch (error) {
    throw asProblem(explainSftpError(error), settings);
  }
}

function asProblem({ found, remedy }: { found: string; remedy: string }, settings: Settings): Problem {
  const hint = settings.local ? ` The settings come from ${settings.source}: does \`postloop up\` run there?` : '';
  return new Problem(found, remedy + hint);
}
