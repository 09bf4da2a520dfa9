import { contentConfig, databaseConfig, integer, queueConfig, serviceConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  ...queueConfig,
  ...contentConfig,
  BUILD_CONCURRENCY: integer(1, 32).default(2).describe('imports whose mailings are built at the same time'),
  BATCH_SIZE: integer(1, 10_000).default(500).describe('recipients per send job'),
});

export type Config = z.output<typeof configSchema>;
