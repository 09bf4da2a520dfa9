import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type PostgresServer, startPostgres } from './postgres.js';
import { findRedisServer, type RedisServer, startRedis } from './redis.js';
import { type SftpServer, startSftpServer } from './sftp-server.js';
import { type SmtpInbox, startSmtpInbox } from './smtp-inbox.js';

export interface StackOptions {
  /** Everything lies in subfolders: `postgres/`, `redis/`, `sftp/` (its root: `sftp/root`), `inbox/`. */
  dir: string;
  /** Default `postloop`. With a shared `postgres` choose one of your own. */
  databaseName?: string;
  /** Default `auto`: Redis where a server program is found, else PostgreSQL. */
  queue?: 'redis' | 'postgres' | 'auto';
  /** A server that is already there: the stack makes its database in it and leaves it running. */
  postgres?: PostgresServer;
}

export interface Stack extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer | undefined;
  readonly sftp: SftpServer;
  /** The SFTP user's `/` on disk. */
  readonly sftpRoot: string;
  readonly inbox: SmtpInbox;
  readonly databaseUrl: string;
  /** For the apps: DATABASE_URL, QUEUE_BACKEND, REDIS_URL, SFTP_…, SMTP_URL. */
  readonly env: Record<string, string>;
  /** In reverse order of starting. */
  stop(): Promise<void>;
}

/** Starts everything that the apps talk to; no migrations. When one part fails, those already started are stopped. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true });
  const parts: AsyncDisposable[] = [];
  const stop = async () => {
    for (let part = parts.pop(); part; part = parts.pop()) await part[Symbol.asyncDispose]();
  };
  try {
    const postgres = options.postgres ?? kept(parts, await startPostgres({ dir: join(dir, 'postgres') }));
    const databaseUrl = await postgres.createDatabase(options.databaseName ?? 'postloop');
    const redis = wantsRedis(options.queue ?? 'auto')
      ? kept(parts, await startRedis({ dir: join(dir, 'redis') }))
      : undefined;
    const sftpRoot = join(dir, 'sftp', 'root');
    const password = await passwordIn(join(dir, 'sftp'));
    const user = { username: 'postloop', password, root: sftpRoot };
    const sftp = kept(parts, await startSftpServer({ hostKeyFile: join(dir, 'sftp', 'host_key'), users: [user] }));
    const inbox = kept(parts, await startSmtpInbox({ dir: join(dir, 'inbox') }));
    const env = environment(databaseUrl, redis, sftp, user, inbox);
    return { postgres, redis, sftp, sftpRoot, inbox, databaseUrl, env, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environment(
  databaseUrl: string,
  redis: RedisServer | undefined,
  sftp: SftpServer,
  user: { username: string; password: string },
  inbox: SmtpInbox,
): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    ...(redis ? { QUEUE_BACKEND: 'redis', REDIS_URL: redis.url } : { QUEUE_BACKEND: 'postgres' }),
    SFTP_HOST: '127.0.0.1',
    SFTP_PORT: String(sftp.port),
    SFTP_USERNAME: user.username,
    SFTP_PASSWORD: user.password,
    SFTP_HOST_KEY: sftp.hostKeyFingerprint,
    SMTP_URL: inbox.url,
  };
}

function wantsRedis(queue: 'redis' | 'postgres' | 'auto'): boolean {
  return queue === 'redis' || (queue === 'auto' && findRedisServer() !== undefined);
}

function kept<T extends AsyncDisposable>(parts: AsyncDisposable[], part: T): T {
  parts.push(part);
  return part;
}

/** The same over restarts, so that a client set up by hand goes on working. */
async function passwordIn(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const file = join(dir, 'password');
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== '') return found;
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  return password;
}
