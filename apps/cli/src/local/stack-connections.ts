import type { Stack } from '@postloop/local-stack';
import type { QueueConnection } from '@postloop/queue';
import { parseConfig, sftpConnection } from '@postloop/service-kit';
import type { connectSftp } from '@postloop/sftp';
import { z } from 'zod';
import { configGroups } from '../config.js';

/** The queue of a stack that this process started. */
export function queueOf({ redis, databaseUrl }: Stack): QueueConnection {
  const prefix = 'postloop';
  return redis ? { backend: 'redis', url: redis.url, prefix } : { backend: 'postgres', url: databaseUrl, prefix };
}

/** Its SFTP account. */
export function sftpOf({ env }: Stack): Parameters<typeof connectSftp>[0] {
  return sftpConnection(parseConfig(z.object(configGroups.sftp), env));
}
