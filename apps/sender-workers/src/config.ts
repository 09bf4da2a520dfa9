import { databaseConfig, integer, queueConfig, serviceConfig, trackingConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  ...queueConfig,
  ...trackingConfig,
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .describe('mail server, as smtp://user:password@host:port; smtps:// for TLS from the start'),
  SMTP_REQUIRE_TLS: z.stringbool().default(false).describe('refuse a server that does not offer STARTTLS'),
  SMTP_CONNECTIONS: integer(1, 500).default(10).describe('connections that this worker keeps to the mail server'),
  SMTP_TIMEOUT_MS: integer(1_000, 3_600_000)
    .default(600_000)
    .describe('longest wait for an answer (RFC 5321 4.5.3.2.6: 10 minutes)'),
  SMTP_HELLO_NAME: z.string().default('localhost').describe('name that the worker greets the mail server with'),
  RETURN_PATH_DOMAIN: z.string().describe('domain of the envelope senders that bounces come back to'),
  RETRY_SCHEDULE: z
    .string()
    .regex(/^\d+(,\d+)*$/)
    .default('60,300,900,3600,14400,43200')
    .transform((text) => text.split(',').map((seconds) => Number(seconds) * 1000))
    .describe('seconds between attempts after a 4xx answer; after the last one the mail could not be sent'),
  SEND_CONCURRENCY: integer(1, 100).default(4).describe('batches that this worker holds at the same time'),
  LEASE_MS: integer(1_000, 3_600_000).default(60_000).describe('how long a batch stays with a worker that fell silent'),
});

export type Config = z.output<typeof configSchema>;
