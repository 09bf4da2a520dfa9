import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AppName, type PostgresServer, type RedisServer, startPostgres, startRedis } from '@postloop/local-stack';
import { until } from './until.js';
import type { World } from './world.js';

// What a fault test does to the servers of a world, and how it sees that the fault was felt.

/** PostgreSQL on its port and files again, after it was killed or stopped. */
export async function postgresAgain(world: World, settings: Record<string, string> = {}): Promise<PostgresServer> {
  const { port } = world.stack.postgres;
  return world.keep(await startPostgres({ dir: join(world.dir, 'postgres'), port, settings }));
}

/** Redis on its port and files again, after it was killed. */
export async function redisAgain(world: World): Promise<RedisServer> {
  return world.keep(await startRedis({ dir: join(world.dir, 'redis'), port: redisOf(world).port }));
}

/** The world's Redis; there is one when it was opened with `queue: 'redis'`. */
export function redisOf({ stack }: World): RedisServer {
  if (!stack.redis) throw new Error('this world has no Redis');
  return stack.redis;
}

/** Kills a server and waits until it is gone. */
export async function killed(server: PostgresServer | RedisServer, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  server.kill(signal);
  await server.exited;
}

/** Waits until an app, or one of several, said something like this in its log. */
export function untilLogged(world: World, apps: AppName | readonly AppName[], what: RegExp): Promise<string> {
  return until(`${apps} logs ${what}`, async () => {
    const logs = [apps].flat().map((app) => readFile(join(world.dir, 'logs', `${app}.log`), 'utf8'));
    return (await Promise.all(logs)).flatMap((log) => log.split('\n')).find((line) => what.test(line));
  });
}
