import { databaseConfig, integer, queueConfig, serviceConfig, trackingConfig } from '@postloop/service-kit';
import { z } from 'zod';
import { parseDkimKeys } from './dkim-config.js';
import { parseSmtpUrl } from './smtp-url.js';
import {
  checkedAuthorities,
  DEFAULT_TRANSPORT,
  parseTransports,
  smtpServer,
  type TransportSettings,
} from './transport-config.js';

/** Runs a parser that throws one problem per line; each is reported by itself. */
const parsedBy =
  <T>(parse: (text: string) => T) =>
  (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      for (const message of (error as Error).message.split('\n')) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
  };

export const configSchema = z
  .object({
    ...serviceConfig,
    ...databaseConfig,
    ...queueConfig,
    ...trackingConfig,
    SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .transform(parsedBy(parseSmtpUrl))
      .describe('mail server, as smtp://user:password@host:port; smtps:// for TLS from the start'),
    SMTP_REQUIRE_TLS: z
      .stringbool()
      .optional()
      .describe('refuse a server that does not offer STARTTLS; when not set, only one that is logged in to'),
    SMTP_TLS_CA: z
      .string()
      .transform(parsedBy(checkedAuthorities))
      .optional()
      .describe('PEM of the authorities to trust in place of the usual ones; SMTP_TLS_CA_FILE names a file'),
    SMTP_TLS_SERVERNAME: z.string().optional().describe('name that the certificate must have, if it is not the host'),
    SMTP_CONNECTIONS: integer(1, 500).default(10).describe('connections that this worker keeps to the mail server'),
    SMTP_MAILS_PER_SECOND: z.coerce
      .number()
      .positive()
      .optional()
      .describe('most mails per second from this worker to the mail server'),
    SMTP_TIMEOUT_MS: integer(1_000, 3_600_000)
      .default(600_000)
      .describe('longest wait for an answer (RFC 5321 4.5.3.2.6: 10 minutes)'),
    SMTP_HELLO_NAME: z.string().default('localhost').describe('name that the worker greets the mail server with'),
    SMTP_TRANSPORTS: z
      .string()
      .transform(parsedBy(parseTransports))
      .default([])
      .describe('more mail servers, as JSON: docs/TRANSPORTS.md; SMTP_TRANSPORTS_FILE names a file'),
    DKIM_KEYS: z
      .string()
      .transform(parsedBy(parseDkimKeys))
      .default([])
      .describe(
        'keys that sign, as domain:selector:algorithm:path or JSON: docs/TRANSPORTS.md; DKIM_KEYS_FILE names a file',
      ),
    RETURN_PATH_DOMAIN: z.string().describe('domain of the envelope senders that bounces come back to'),
    RETRY_SCHEDULE: z
      .string()
      .regex(/^\d+(,\d+)*$/)
      .default('60,300,900,3600,14400,43200')
      .transform((text) => text.split(',').map((seconds) => Number(seconds) * 1000))
      .describe('seconds between attempts after a 4xx answer; after the last one the mail could not be sent'),
    SEND_CONCURRENCY: integer(1, 100)
      .default(4)
      .describe('batches that this worker holds at the same time, per transport'),
    LEASE_MS: integer(1_000, 3_600_000)
      .default(60_000)
      .describe('how long a batch stays with a worker that fell silent'),
  })
  .superRefine((config, context) => {
    const selectors = new Set(config.DKIM_KEYS.map(({ selector }) => selector));
    for (const { name, dkim = [] } of transportsOf(config))
      for (const selector of dkim)
        if (!selectors.has(selector))
          context.addIssue({
            code: 'custom',
            path: ['SMTP_TRANSPORTS'],
            message: `${name}.dkim: DKIM_KEYS has no key with the selector ${selector}`,
          });
  });

export type Config = z.output<typeof configSchema>;

type SmtpConfig = Pick<Config, Extract<keyof Config, `SMTP_${string}`>>;

/** Every transport that the configuration names, the default one first. */
export function transportsOf(config: SmtpConfig): TransportSettings[] {
  const defaults = { helloName: config.SMTP_HELLO_NAME, timeoutMs: config.SMTP_TIMEOUT_MS };
  const { login, ...address } = config.SMTP_URL;
  const server = smtpServer(address, login, {
    ...defaults,
    requireTls: config.SMTP_REQUIRE_TLS,
    ca: config.SMTP_TLS_CA,
    servername: config.SMTP_TLS_SERVERNAME,
  });
  const { SMTP_CONNECTIONS: connections, SMTP_MAILS_PER_SECOND: mailsPerSecond } = config;
  return [
    { name: DEFAULT_TRANSPORT, server, connections, mailsPerSecond, dkim: undefined },
    ...config.SMTP_TRANSPORTS.map((named) => named(defaults)),
  ];
}
