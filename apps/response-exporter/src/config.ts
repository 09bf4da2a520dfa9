import { databaseConfig, integer, queueConfig, serviceConfig, sftpConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  ...queueConfig,
  ...sftpConfig,
  EXPORT_CONCURRENCY: integer(1, 32).default(2).describe('clients that are exported at the same time'),
});

export type Config = z.output<typeof configSchema>;
