import { databaseConfig, integer, serviceConfig, trackingConfig } from '@postloop/service-kit';
import { z } from 'zod';

const GATEWAY_HTTP = ['lane', 'node'] as const;
export type GatewayHttp = (typeof GATEWAY_HTTP)[number];

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  ...trackingConfig,
  GATEWAY_HOST: z.string().default('0.0.0.0').describe('address that pixel, links and unsubscribe pages are served on'),
  GATEWAY_PORT: integer(0, 65_535).default(8_080).describe('its port; 0 = any free one'),
  GATEWAY_HTTP: z
    .enum(GATEWAY_HTTP)
    .default('lane')
    .describe("lane = plain requests for pixels and links pass by Node's HTTP server; node = it answers them, too"),
  SPOOL_DIR: z
    .string()
    .describe('directory for events that are not in the database yet: on a disk that lasts, one for each gateway'),
  SPOOL_SEGMENT_BYTES: integer(4_096, 1_073_741_824)
    .default(8_388_608)
    .describe('size at which a file of the spool is finished'),
  SPOOL_SEGMENT_MS: integer(100, 3_600_000).default(60_000).describe('age at which a file of the spool is finished'),
  LINK_DAYS: integer(1, 3_650)
    .default(35)
    .describe('links of mailings that started in the last days are kept in memory, and work without the database'),
  LINK_LOOKUP_MS: integer(50, 30_000)
    .default(1_000)
    .describe('longest wait for the database when somebody clicks on an older link'),
});

export type Config = z.output<typeof configSchema>;
