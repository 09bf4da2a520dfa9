import type { Stack } from '@postloop/local-stack';
import type { QueueConnection } from '@postloop/queue';
import { parseConfig, type SftpAccount, sftpOf as sftpAccountOf } from '@postloop/service-kit';
import { z } from 'zod';
import { configGroups } from '../config.js';

/** The queue of a stack that this process started. */
export function queueOf({ redis, databaseUrl }: Stack): QueueConnection {
  const prefix = 'postloop';
  return redis ? { backend: 'redis', url: redis.url, prefix } : { backend: 'postgres', url: databaseUrl, prefix };
}

/** Its SFTP account. */
export function sftpOf({ env }: Stack): SftpAccount {
  return sftpAccountOf(parseConfig(z.object(configGroups.sftp), env), { sftpAccount: null });
}
