import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { createLogin, type LoginSettings } from './login.js';
import type { SmtpServer } from './open-session.js';
import { parseSmtpUrl } from './smtp-url.js';

/** What SMTP_URL describes, and what a client without a choice uses. */
export const DEFAULT_TRANSPORT = 'default';

/** One way out: a mail server, and how much goes to it. */
export interface TransportSettings {
  name: string;
  server: SmtpServer;
  connections: number;
  /** Of this worker; undefined: as fast as it goes. */
  mailsPerSecond: number | undefined;
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
  connections: z.int().min(1).max(500).default(10),
  mailsPerSecond: z.number().positive().optional(),
  auth: xoauth2.optional(),
  tls: z.strictObject({ caFile: z.string().min(1).optional(), servername: z.string().min(1).optional() }).default({}),
  helloName: z.string().min(1).optional(),
  timeoutMs: z.int().min(1_000).max(3_600_000).optional(),
  dkim: z.array(z.string().toLowerCase()).optional(),
});

/** What a named transport leaves open comes from the SMTP_… variables. */
export type TransportDefaults = Pick<SmtpServer, 'helloName' | 'timeoutMs'>;
export type NamedTransport = (defaults: TransportDefaults) => TransportSettings;

/** @throws RangeError with one problem per line: place, and what is wrong; never a value */
export function parseTransports(text: string): NamedTransport[] {
  const parsed = z.record(z.string(), transport).safeParse(parseJson(text));
  if (!parsed.success)
    throw new RangeError(
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`).join('\n'),
    );
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
    server: smtpServer(address, given.auth ?? login, {
      requireTls: given.requireTls,
      ca,
      servername,
      helloName: given.helloName ?? defaults.helloName,
      timeoutMs: given.timeoutMs ?? defaults.timeoutMs,
    }),
    connections: given.connections,
    mailsPerSecond: given.mailsPerSecond,
    dkim: given.dkim,
  });
}

/** A server that is logged in to needs TLS, unless it was said that it does not: STARTTLS could be taken out on the way. */
export function smtpServer(
  { host, port, secure }: Pick<SmtpServer, 'host' | 'port' | 'secure'>,
  login: LoginSettings | undefined,
  options: TransportDefaults & {
    requireTls: boolean | undefined;
    ca: string | undefined;
    servername: string | undefined;
  },
): SmtpServer {
  const { requireTls, ca, servername, helloName, timeoutMs } = options;
  return {
    host,
    port,
    secure,
    requireTls: requireTls ?? login !== undefined,
    tls: { ...(ca === undefined ? {} : { ca }), ...(servername === undefined ? {} : { servername }) },
    login: login && createLogin(login),
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

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RangeError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** JSON.parse quotes what it stumbles over, which may be a secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /position \d+/.exec((error as Error).message)?.[0];
    throw new RangeError(`it is not JSON${at ? ` (${at})` : ''}`);
  }
}
