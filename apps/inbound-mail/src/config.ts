import { databaseConfig, integer, serviceConfig, trackingConfig } from '@postloop/service-kit';
import { z } from 'zod';

export const configSchema = z
  .object({
    ...serviceConfig,
    ...databaseConfig,
    TOKEN_KEYS: trackingConfig.TOKEN_KEYS,
    RETURN_PATH_DOMAIN: z.string().toLowerCase().describe('domain of the envelope senders that bounces come back to'),
    INBOUND_ADDRESSES: z
      .string()
      .default('')
      .transform(addressList)
      .describe('reply and sender addresses, or whole domains, whose mail is taken too; comma-separated'),
    INBOUND_HOST: z.string().default('0.0.0.0').describe('address that SMTP is spoken on'),
    INBOUND_SMTP_PORT: integer(0, 65_535).default(2_525).describe('its port; 0 = any free one'),
    INBOUND_MAX_BYTES: integer(10_000, 100_000_000).default(10_000_000).describe('largest message that is taken'),
    INBOUND_BUFFER_BYTES: integer(100_000, 10_000_000_000)
      .default(100_000_000)
      .describe('bytes of messages that are taken over at the same time, on all connections'),
    INBOUND_CONNECTIONS: integer(1, 10_000).default(100).describe('SMTP connections at the same time'),
    INBOUND_CONNECTIONS_PER_ADDRESS: integer(1, 10_000).default(20).describe('of these, from one remote address'),
    INBOUND_RATE: integer(1, 1_000_000)
      .default(1_200)
      .describe('messages and refused recipients a minute from one remote address'),
    INBOUND_TLS_KEY: z
      .string()
      .optional()
      .describe('private key for STARTTLS (PEM); INBOUND_TLS_KEY_FILE names a file'),
    INBOUND_TLS_CERT: z.string().optional().describe('its certificate chain (PEM); INBOUND_TLS_CERT_FILE names a file'),
    INBOUND_IMAP_URL: z
      .url({ protocol: /^imaps?$/ })
      .optional()
      .describe('mailbox that is emptied too, as imaps://user:password@host/INBOX; imap:// for STARTTLS'),
    INBOUND_IMAP_PLAIN: z
      .stringbool()
      .default(false)
      .describe('imap:// without encryption, for servers on this machine'),
    INBOUND_IMAP_DONE: z
      .string()
      .optional()
      .describe('folder that messages are moved to once they are stored; else they stay, marked as seen'),
    INBOUND_IMAP_INTERVAL_MS: integer(100, 86_400_000).default(60_000).describe('pause between looks at the mailbox'),
    INBOUND_PARSERS: integer(1, 64).default(2).describe('threads that read messages'),
    INBOUND_PARSE_MS: integer(100, 60_000).default(5_000).describe('time for reading one message'),
    INBOUND_PARSE_HEAP_MB: integer(16, 4_096).default(128).describe('memory for reading one message'),
    INBOUND_RETRY_MS: integer(50, 3_600_000)
      .default(5_000)
      .describe('pause between looks for messages that were stored and not recorded'),
    LEASE_MS: integer(1_000, 3_600_000)
      .default(60_000)
      .describe('how long a message stays with a process that fell silent'),
    INBOUND_KEEP_DAYS: integer(1, 3_650).default(30).describe('how long messages are kept as they came'),
  })
  .refine((config) => (config.INBOUND_TLS_KEY === undefined) === (config.INBOUND_TLS_CERT === undefined), {
    path: ['INBOUND_TLS_CERT'],
    message: 'a key and a certificate belong together',
  });

export type Config = z.output<typeof configSchema>;

/** Addresses have an @ inside; anything else names a domain, with or without an @ in front. */
function addressList(text: string): { addresses: Set<string>; domains: Set<string> } {
  const entries = text
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim().replace(/^@/, ''))
    .filter((entry) => entry !== '');
  return {
    addresses: new Set(entries.filter((entry) => entry.includes('@'))),
    domains: new Set(entries.filter((entry) => !entry.includes('@'))),
  };
}
