import { randomUUID } from 'node:crypto';
import {
  findRedisServer,
  freePort,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
  temporaryDirectory,
} from '@postloop/local-stack';
import { prepareQueueBackend, type QueueConnection } from '../connection.js';

/** A queue server of its own, that can go away and come back on the same port with what it had on disk. */
export interface TestBackend extends AsyncDisposable {
  /** Queues that no other test sees. */
  newConnection(): Promise<QueueConnection>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface Kind {
  /** Says so when the backend is missing on this machine. */
  title: string;
  missing: boolean;
  open(): Promise<TestBackend>;
}

const noRedis = findRedisServer() === undefined;

/** Both backends, for `describe.each`. */
export const backends: Kind[] = [
  {
    title: noRedis ? 'redis (SKIPPED: no redis-server or valkey-server on this machine)' : 'redis',
    missing: noRedis,
    open: openRedis,
  },
  { title: 'postgres', missing: false, open: openPostgres },
];

async function openRedis(): Promise<TestBackend> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const launch = () => startRedis({ dir: directory.path, port });
  return restartable<RedisServer>(directory, await launch(), launch, async ({ url }) => ({
    backend: 'redis',
    url,
    prefix: randomUUID(),
  }));
}

async function openPostgres(): Promise<TestBackend> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const launch = () => startPostgres({ dir: directory.path, port });
  return restartable<PostgresServer>(directory, await launch(), launch, async (server) => {
    // This backend knows no prefix: a database of its own keeps the tests apart.
    const url = await server.createDatabase(`queue_${randomUUID().replaceAll('-', '')}`);
    const connection: QueueConnection = { backend: 'postgres', url, prefix: 'postloop' };
    await prepareQueueBackend(connection);
    return connection;
  });
}

function restartable<S extends AsyncDisposable & { stop(): Promise<void> }>(
  directory: AsyncDisposable,
  first: S,
  launch: () => Promise<S>,
  connect: (server: S) => Promise<QueueConnection>,
): TestBackend {
  let server = first;
  return {
    newConnection: () => connect(server),
    stop: () => server.stop(),
    start: async () => {
      server = await launch();
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}
