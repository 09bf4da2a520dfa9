import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type InboxRule,
  type RedisServer,
  type SftpServer,
  type SmtpInbox,
  startPostgres,
  startRedis,
  startSftpServer,
  startSmtpInbox,
} from '@postloop/local-stack';
import { redisCommand } from '../support/redis.js';
import type { World } from '../support/world.js';

/** The servers of a world, each of which can be taken away and brought back at its old address with its old data. */
export interface Servers extends AsyncDisposable {
  inbox(): SmtpInbox;
  /** The mail server does this first, and takes its time otherwise. */
  behave(rule?: InboxRule): void;
  killPostgres(): Promise<void>;
  /** Undefined where the queue is not in Redis. */
  killRedis: (() => Promise<void>) | undefined;
  flushRedis: (() => Promise<void>) | undefined;
  /** Cuts all SFTP connections and is away until `back` is called. */
  cutSftp(): Promise<{ back: () => Promise<void> }>;
  /** The mail server ends and comes back. */
  restartInbox(): Promise<void>;
}

/** So long a message is in flight: a fault is to meet some. */
const ANSWER_MS = 200;

export function serversOf({ stack, house }: World): Servers {
  // Where startStack lays everything: DIR/sftp/root, DIR/redis and so on.
  const sftpDir = dirname(stack.sftpRoot);
  const dir = dirname(sftpDir);
  const started: AsyncDisposable[] = [];
  const kept = <T extends AsyncDisposable>(server: T): T => {
    started.push(server);
    return server;
  };
  let { postgres, inbox }: Pick<World['stack'], 'postgres' | 'inbox'> = stack;
  let redis: RedisServer | undefined = stack.redis;
  let sftp: SftpServer = stack.sftp;

  const killRedis = async () => {
    if (!redis) return;
    const { port } = redis;
    redis.kill('SIGKILL');
    await redis.exited;
    redis = kept(await startRedis({ dir: join(dir, 'redis'), port }));
  };
  const behave = (rule?: InboxRule) => {
    inbox.behaveNormally();
    if (rule) inbox.behave(rule);
    inbox.behave({ delayMs: ANSWER_MS });
  };
  behave();
  return {
    inbox: () => inbox,
    behave,
    async killPostgres() {
      const { port } = postgres;
      postgres.kill('SIGKILL');
      await postgres.exited;
      postgres = kept(await startPostgres({ dir: join(dir, 'postgres'), port }));
    },
    killRedis: redis && killRedis,
    flushRedis: redis && (async () => void (await redisCommand(redis?.port ?? 0, 'FLUSHALL'))),
    async cutSftp() {
      const { port } = sftp;
      await sftp.stop();
      const password = readFileSync(join(sftpDir, 'password'), 'utf8');
      const user = { username: house.env.SFTP_USERNAME ?? '', password, root: stack.sftpRoot };
      return {
        async back() {
          sftp = kept(await startSftpServer({ hostKeyFile: join(sftpDir, 'host_key'), users: [user], port }));
        },
      };
    },
    async restartInbox() {
      const { port } = inbox;
      await inbox.stop();
      inbox = kept(await startSmtpInbox({ dir: join(dir, 'inbox'), port }));
      behave();
    },
    async [Symbol.asyncDispose]() {
      for (const server of started.reverse()) await server[Symbol.asyncDispose]();
    },
  };
}
