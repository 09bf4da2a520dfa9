import type { DkimKey } from '@postloop/mail-domain/dkim';
import { z } from 'zod';
import { integer } from './config.js';
import { parsedBy } from './parsed-variable.js';
import { parseSmtpUrl } from './smtp-url.js';
import {
  checkedAuthorities,
  DEFAULT_TRANSPORT,
  parseTransports,
  SMTP_CLIENTS,
  smtpSettings,
  type TransportSettings,
} from './transport-config.js';

/** The mail servers that mails leave by: docs/TRANSPORTS.md. */
export const smtpConfig = {
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
  SMTP_CONNECTIONS: integer(1, 500).default(20).describe('connections that this worker keeps to the mail server'),
  SMTP_MAILS_PER_SECOND: z.coerce
    .number()
    .positive()
    .optional()
    .describe('most mails per second to the mail server, of all workers together'),
  SMTP_MAX_CONNECTIONS: integer(1, 10_000)
    .optional()
    .describe('most connections to the mail server, of all workers together'),
  SMTP_TIMEOUT_MS: integer(1_000, 3_600_000)
    .default(600_000)
    .describe('longest wait for an answer (RFC 5321 4.5.3.2.6: 10 minutes)'),
  SMTP_HELLO_NAME: z.string().default('localhost').describe('name that the worker greets the mail server with'),
  SMTP_CLIENT: z
    .enum(SMTP_CLIENTS)
    .default('pipelined')
    .describe('what hands mails over: pipelined is our own, nodemailer the library, slower'),
  SMTP_TRANSPORTS: z
    .string()
    .transform(parsedBy(parseTransports))
    .default([])
    .describe('more mail servers, as JSON: docs/TRANSPORTS.md; SMTP_TRANSPORTS_FILE names a file'),
};

type SmtpConfig = z.output<z.ZodObject<typeof smtpConfig>>;

/** Every transport that the configuration names, the default one first. */
export function transportsOf(config: SmtpConfig): TransportSettings[] {
  const defaults = { helloName: config.SMTP_HELLO_NAME, timeoutMs: config.SMTP_TIMEOUT_MS };
  const { SMTP_CLIENT: client } = config;
  const { login, ...address } = config.SMTP_URL;
  const server = smtpSettings(address, login, {
    ...defaults,
    requireTls: config.SMTP_REQUIRE_TLS,
    ca: config.SMTP_TLS_CA,
    servername: config.SMTP_TLS_SERVERNAME,
  });
  const { SMTP_CONNECTIONS: connections, SMTP_MAILS_PER_SECOND: mailsPerSecond } = config;
  const maxConnections = config.SMTP_MAX_CONNECTIONS;
  return [
    { name: DEFAULT_TRANSPORT, server, client, connections, mailsPerSecond, maxConnections, dkim: undefined },
    ...config.SMTP_TRANSPORTS.map((named) => named({ ...defaults, client })),
  ];
}

/** What is wrong when a transport names a key that is not there, one sentence each. */
export function missingSelectors(transports: readonly TransportSettings[], keys: readonly DkimKey[]): string[] {
  const selectors = new Set(keys.map(({ selector }) => selector));
  return transports.flatMap(({ name, dkim = [] }) =>
    dkim
      .filter((selector) => !selectors.has(selector))
      .map((selector) => `${name}.dkim: DKIM_KEYS has no key with the selector ${selector}`),
  );
}
