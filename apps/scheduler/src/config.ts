import { databaseConfig, integer, queueConfig, serviceConfig, sftpConfig, smtpConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z.object({
  ...serviceConfig,
  ...databaseConfig,
  DATABASE_POOL: integer(4, 100)
    .default(10)
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
  ...sftpConfig,
  SMTP_URL: smtpConfig.SMTP_URL,
  SMTP_REQUIRE_TLS: smtpConfig.SMTP_REQUIRE_TLS,
  SMTP_TLS_CA: smtpConfig.SMTP_TLS_CA,
  SMTP_TLS_SERVERNAME: smtpConfig.SMTP_TLS_SERVERNAME,
  SMTP_HELLO_NAME: smtpConfig.SMTP_HELLO_NAME,
  NOTICE_SMTP_URL: smtpConfig.SMTP_URL.optional().describe(
    'mail server of the status mails, as SMTP_URL; when not set, that of SMTP_URL',
  ),
  NOTICE_FROM: z
    .string()
    .regex(/^[^\s@<>"]+@[^\s@<>"]+$/)
    .describe('sender address of the status mails'),
  JOURNAL_INTERVAL_MS: integer(50, 60_000)
    .default(2_000)
    .describe('pause between two looks for news that clients are to be mailed or their log files lack'),
  SWEEP_INTERVAL_MS: integer(50, 3_600_000)
    .default(60_000)
    .describe('pause between two looks for clients whose old files are due to be removed, daily each'),
});

export type Config = z.output<typeof configSchema>;
