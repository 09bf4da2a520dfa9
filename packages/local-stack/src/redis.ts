import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { findProgram } from './find-program.js';
import { freePort } from './free-port.js';
import { waitUntilReady } from './ready.js';
import { type Exit, spawnServer } from './server-process.js';

export interface RedisOptions {
  /** Holds the append-only file and `redis.log`. */
  dir: string;
  /** Default: a free one. */
  port?: number;
  /** Default: `findRedisServer()`. */
  program?: string;
}

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** For fault tests; await `exited` to see it gone. */
  kill(signal: NodeJS.Signals): boolean;
  stop(): Promise<void>;
}

/** The path of redis-server, or else valkey-server; undefined when this machine has neither. */
export function findRedisServer(directories?: string[]): string | undefined {
  return findProgram(['redis-server', 'valkey-server'], directories);
}

/** A Redis of our own on 127.0.0.1, set up as queues need it: nothing is evicted, at most a second is lost in a crash. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const command = options.program ?? findRedisServer();
  if (!command)
    throw new Error('no redis-server or valkey-server on this machine: install one, or use the PostgreSQL queue');
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const logFile = join(dir, 'redis.log');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  const durability = ['--maxmemory-policy', 'noeviction', '--appendonly', 'yes', '--appendfsync', 'everysec'];
  const child = await spawnServer({ command, args: [...args, ...durability], logFile, cwd: dir });
  await waitUntilReady('Redis', child, logFile, () => pongs(port));
  const stop = async () => {
    child.kill('SIGTERM');
    await child.exited;
  };
  const url = `redis://127.0.0.1:${port}`;
  return { url, port, pid: child.pid, exited: child.exited, kill: child.kill, stop, [Symbol.asyncDispose]: stop };
}

/** False while it still loads its file (-LOADING). */
async function pongs(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    return String(answer).startsWith('+PONG');
  } finally {
    socket.destroy();
  }
}
