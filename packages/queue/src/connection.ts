import { createPostgresBackend, createRedisBackend, runMigrations, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { jobTelemetry } from './telemetry.js';

/**
 * Where jobs wait. Redis is the default; the PostgreSQL backend serves where there is no Redis. With `tracing`, jobs carry the
 * trace of whoever enqueued them.
 */
export type QueueConnection =
  | { backend: 'redis'; url: string; prefix: string; tracing?: boolean }
  | { backend: 'postgres'; url: string; prefix: string; tracing?: boolean };

/** What this package needs of BullMQ's queue, whichever backend is behind it. */
export type JobQueue = ReturnType<typeof openJobQueue>;

const redis = withBackend(createRedisBackend);
const postgres = withBackend(createPostgresBackend);

type Data = Record<string, unknown>;

const sharedOptions = ({ prefix, tracing }: QueueConnection) => ({
  prefix,
  ...(tracing ? { telemetry: jobTelemetry() } : {}),
});

export function openJobQueue(connection: QueueConnection, name: string) {
  const queue =
    connection.backend === 'redis'
      ? new redis.Queue<Data>(name, {
          ...sharedOptions(connection),
          // A producer must not hang while Redis is away: the reconciler re-enqueues what was not said.
          connection: { url: connection.url, maxRetriesPerRequest: 1, enableOfflineQueue: true },
        })
      : new postgres.Queue<Data>(name, { ...sharedOptions(connection), connection: poolOptions(connection.url) });
  return queue;
}

export interface JobWorkerOptions {
  concurrency: number;
  /** How long a silent worker keeps a job, in milliseconds. Renewed at half of it. */
  lockMs: number;
}

/** The part of a BullMQ job that handlers need. */
export interface RunningJob {
  id?: string | undefined;
  data: Data;
  attemptsMade: number;
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
}

export function openJobWorker(
  connection: QueueConnection,
  name: string,
  run: (job: RunningJob, token?: string) => Promise<void>,
  { concurrency, lockMs }: JobWorkerOptions,
) {
  const options = {
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    // A stalled job is run again: its claim in PostgreSQL decides whether anything is left to do.
    maxStalledCount: 1_000,
    // After a lost connection BullMQ rests 15 s before it asks PostgreSQL again.
    runRetryDelay: 1_000,
    ...sharedOptions(connection),
  };
  return connection.backend === 'redis'
    ? new redis.Worker<Data, void>(name, run, {
        ...options,
        connection: { url: connection.url, maxRetriesPerRequest: null },
      })
    : new postgres.Worker<Data, void>(name, run, { ...options, connection: poolOptions(connection.url) });
}

const poolOptions = (url: string) => ({ connectionString: url, max: 4 });

/** Makes the backend ready for use: BullMQ's own tables in PostgreSQL; nothing for Redis. */
export async function prepareQueueBackend(connection: QueueConnection): Promise<void> {
  if (connection.backend === 'redis') return;
  const client = new pg.Client({ connectionString: connection.url });
  await client.connect();
  try {
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

/**
 * Answers, or throws with the remedy. A Redis that evicts keys would forget jobs silently, so
 * every policy but `noeviction` is refused.
 */
export async function checkQueueBackend(connection: QueueConnection): Promise<void> {
  if (connection.backend === 'postgres') return;
  const client = new Redis(connection.url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => undefined); // told by the rejected connect()
  try {
    await client.connect();
    const policy = /maxmemory_policy:(\S+)/.exec(await client.info('memory'))?.[1];
    if (policy !== 'noeviction')
      throw new Error(`Redis evicts keys (maxmemory-policy ${policy}): set "maxmemory-policy noeviction".`);
  } finally {
    client.disconnect();
  }
}
