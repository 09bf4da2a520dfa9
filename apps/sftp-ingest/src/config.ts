import { databaseConfig, integer, queueConfig, serviceConfig, sftpConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  ...queueConfig,
  ...sftpConfig,
  STILLNESS_MS: integer(0, 60_000)
    .default(3_000)
    .describe('how long size and time of a file must stand still before it is taken'),
  POLL_CONCURRENCY: integer(1, 100)
    .default(10)
    .describe('clients that are polled at the same time; a poll mostly waits'),
});

export type Config = z.output<typeof configSchema>;
