import {
  contentConfig,
  databaseConfig,
  dkimConfig,
  integer,
  missingSelectors,
  parsedBy,
  queueConfig,
  serviceConfig,
  smtpConfig,
  trackingConfig,
  transportsOf,
} from '@postloop/service-kit';
import { z } from 'zod';
import { parseDomainLimits } from './domain-limits.js';

const MAIL_COMPOSERS = ['segments', 'nodemailer'] as const;
export type MailComposer = (typeof MAIL_COMPOSERS)[number];

export const configSchema = z
  .object({
    ...serviceConfig,
    ...databaseConfig,
    ...queueConfig,
    ...trackingConfig,
    ...smtpConfig,
    ...dkimConfig,
    ...contentConfig,
    RETURN_PATH_DOMAIN: z.string().describe('domain of the envelope senders that bounces come back to'),
    MAIL_COMPOSER: z
      .enum(MAIL_COMPOSERS)
      .default('segments')
      .describe('what encodes mails: segments is our own, nodemailer the library, about sixty times slower'),
    RETRY_SCHEDULE: z
      .string()
      .regex(/^\d+(,\d+)*$/)
      .default('60,300,900,3600,14400,43200')
      .transform((text) => text.split(',').map((seconds) => Number(seconds) * 1000))
      .describe('seconds between attempts after a 4xx answer; after the last one the mail could not be sent'),
    DOMAIN_LIMITS: z
      .string()
      .transform(parsedBy(parseDomainLimits))
      .default([])
      .describe('limits of recipient domains, as JSON: docs/TRANSPORTS.md; DOMAIN_LIMITS_FILE names a file'),
    SEND_CONCURRENCY: integer(1, 100)
      .default(4)
      .describe('batches that this worker holds at the same time, per transport'),
    LEASE_MS: integer(1_000, 3_600_000)
      .default(60_000)
      .describe('how long a batch stays with a worker that fell silent'),
  })
  .superRefine((config, context) => {
    for (const message of missingSelectors(transportsOf(config), config.DKIM_KEYS))
      context.addIssue({ code: 'custom', path: ['SMTP_TRANSPORTS'], message });
  });

export type Config = z.output<typeof configSchema>;
