import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { describeIssues, parseJson, readText } from './parsed-variable.js';
import { parseSmtpUrl } from './smtp-url.js';

export interface PasswordLogin {
  type: 'password';
  user: string;
  password: string;
}

/** XOAUTH2 (Google, Microsoft): a refresh token is exchanged for access tokens at `accessUrl`. */
export interface XOAuth2Login {
  type: 'xoauth2';
  user: string;
  clientId: string;
  clientSecret: string;
  refreshToken: string;
  accessUrl: string;
}

export type LoginSettings = PasswordLogin | XOAuth2Login;

/** A mail server, and how it is spoken to. */
export interface SmtpSettings {
  host: string;
  port: number;
  /** TLS from the start (RFC 8314); else STARTTLS where it is offered (RFC 3207). */
  secure: boolean;
  /** Refuse a server that offers no STARTTLS. */
  requireTls: boolean;
  tls: {
    /** PEM of the authorities to trust in place of the usual ones. */
    ca?: string;
    /** The name that the certificate must have, if it is not the host. */
    servername?: string;
  };
  login: LoginSettings | undefined;
  helloName: string;
  timeoutMs: number;
}

/**
 * What hands mails over on a connection that nodemailer opened: our own pipelining (RFC 2920), or nodemailer itself, one mail
 * after the other.
 */
export const SMTP_CLIENTS = ['pipelined', 'nodemailer'] as const;
export type SmtpClient = (typeof SMTP_CLIENTS)[number];

/** What SMTP_URL describes, and what a client without a choice uses. */
export const DEFAULT_TRANSPORT = 'default';

/** One way out: a mail server, and how much goes to it. */
export interface TransportSettings {
  name: string;
  server: SmtpSettings;
  client: SmtpClient;
  connections: number;
  /** Of all workers together; undefined: as fast as it goes. */
  mailsPerSecond: number | undefined;
  /** Connections of all workers together; undefined: each has its own. */
  maxConnections: number | undefined;
  /** Selectors of the keys that sign; undefined: those of the From domain. */
  dkim: readonly string[] | undefined;
}

/** The name of a transport; client.transport in the database has the same rule. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const xoauth2 = z.strictObject({
  type: z.literal('xoauth2'),
  user: z.string().min(1),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  refreshToken: z.string().min(1),
  accessUrl: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url.startsWith('https:') || /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)[:/]/.test(url), {
      message: 'secrets go to https only',
    }),
});

const transport = z.strictObject({
  url: z.url({ protocol: /^smtps?$/ }),
  requireTls: z.boolean().optional(),
  client: z.enum(SMTP_CLIENTS).optional(),
  connections: z.int().min(1).max(500).default(20),
  mailsPerSecond: z.number().positive().optional(),
  maxConnections: z.int().min(1).max(10_000).optional(),
  auth: xoauth2.optional(),
  tls: z.strictObject({ caFile: z.string().min(1).optional(), servername: z.string().min(1).optional() }).default({}),
  helloName: z.string().min(1).optional(),
  timeoutMs: z.int().min(1_000).max(3_600_000).optional(),
  dkim: z.array(z.string().toLowerCase()).optional(),
});

/** What a named transport leaves open comes from the SMTP_… variables. */
type ServerDefaults = Pick<SmtpSettings, 'helloName' | 'timeoutMs'>;
export type NamedTransport = (defaults: ServerDefaults & Pick<TransportSettings, 'client'>) => TransportSettings;

/** @throws RangeError with one problem per line: place, and what is wrong; never a value */
export function parseTransports(text: string): NamedTransport[] {
  const parsed = z.record(z.string(), transport).safeParse(parseJson(text));
  if (!parsed.success) throw new RangeError(describeIssues(parsed.error));
  const problems: string[] = [];
  const transports = Object.entries(parsed.data).flatMap(([name, given]) => {
    try {
      return [namedTransport(name, given)];
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`);
      return [];
    }
  });
  if (problems.length > 0) throw new RangeError(problems.join('\n'));
  return transports;
}

function namedTransport(name: string, given: z.output<typeof transport>): NamedTransport {
  if (!NAME.test(name)) throw new RangeError('a name has up to 63 small letters, digits, _ and -');
  if (name === DEFAULT_TRANSPORT) throw new RangeError('this name belongs to what SMTP_URL describes');
  const { login, ...address } = parseSmtpUrl(given.url);
  if (login && given.auth) throw new RangeError('it logs in by url or by auth, not by both');
  const { caFile, servername } = given.tls;
  const ca = caFile === undefined ? undefined : checkedAuthorities(readText(caFile));
  return (defaults) => ({
    name,
    server: smtpSettings(address, given.auth ?? login, {
      requireTls: given.requireTls,
      ca,
      servername,
      helloName: given.helloName ?? defaults.helloName,
      timeoutMs: given.timeoutMs ?? defaults.timeoutMs,
    }),
    client: given.client ?? defaults.client,
    connections: given.connections,
    mailsPerSecond: given.mailsPerSecond,
    maxConnections: given.maxConnections,
    dkim: given.dkim,
  });
}

/** A server that is logged in to needs TLS, unless it was said that it does not: STARTTLS could be taken out on the way. */
export function smtpSettings(
  { host, port, secure }: Pick<SmtpSettings, 'host' | 'port' | 'secure'>,
  login: LoginSettings | undefined,
  options: ServerDefaults & {
    requireTls: boolean | undefined;
    ca: string | undefined;
    servername: string | undefined;
  },
): SmtpSettings {
  const { requireTls, ca, servername, helloName, timeoutMs } = options;
  return {
    host,
    port,
    secure,
    requireTls: requireTls ?? login !== undefined,
    tls: { ...(ca === undefined ? {} : { ca }), ...(servername === undefined ? {} : { servername }) },
    login,
    helloName,
    timeoutMs,
  };
}

/** @throws RangeError when a certificate among them cannot be read, or there is none */
export function checkedAuthorities(pem: string): string {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw new RangeError('there is no certificate (PEM) of an authority');
  for (const certificate of certificates) {
    try {
      new X509Certificate(certificate);
    } catch {
      throw new RangeError('the certificate of an authority cannot be read');
    }
  }
  return pem;
}
