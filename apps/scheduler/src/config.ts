import { databaseConfig, integer, queueConfig, serviceConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  DATABASE_POOL: integer(4, 100)
    .default(6)
    .describe('most connections to PostgreSQL from this process; one per loop at least'),
  ...queueConfig,
  SCHEDULE_INTERVAL_MS: integer(50, 60_000)
    .default(1_000)
    .describe('pause between two looks for schedules that are due'),
  RECONCILE_INTERVAL_MS: integer(50, 3_600_000)
    .default(5_000)
    .describe('pause between two looks for work that the queue forgot'),
  RECONCILE_AFTER_MS: integer(0, 3_600_000)
    .default(15_000)
    .describe('how long work stands still before it counts as forgotten'),
});

export type Config = z.output<typeof configSchema>;
