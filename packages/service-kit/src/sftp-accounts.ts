import { z } from 'zod';
import { describeIssues, parseJson, readText } from './parsed-variable.js';

/** Who we are on which SFTP server: SftpOptions of packages/sftp. */
export interface SftpAccount {
  host: string;
  port: number;
  username: string;
  password?: string;
  privateKey?: string;
  hostKey: string;
  root: string;
}

/** The name of an account; client.sftp_account in the database has the same rule. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const SFTP_PORT = 22;

const account = z.strictObject({
  url: z.url({ protocol: /^sftp$/ }),
  passwordFile: z.string().min(1).optional(),
  privateKey: z.string().min(1).optional(),
  privateKeyFile: z.string().min(1).optional(),
  hostKey: z.string().min(1),
});

/**
 * Reads SFTP_ACCOUNTS: `{"NAME": {"url": "sftp://user:password@host:22/directory", …}}`.
 * @throws RangeError with one problem per line: place, and what is wrong; never a value
 */
export function parseSftpAccounts(text: string): Record<string, SftpAccount> {
  const parsed = z.record(z.string().regex(NAME), account).safeParse(parseJson(text));
  if (!parsed.success) throw new RangeError(describeIssues(parsed.error));
  const problems: string[] = [];
  const accounts = Object.entries(parsed.data).flatMap(([name, given]) => {
    try {
      return [[name, readAccount(given)] as const];
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`);
      return [];
    }
  });
  if (problems.length > 0) throw new RangeError(problems.join('\n'));
  return Object.fromEntries(accounts);
}

function readAccount(given: z.output<typeof account>): SftpAccount {
  const url = new URL(given.url);
  const password = given.passwordFile === undefined ? decode(url.password) : readText(given.passwordFile).trimEnd();
  const privateKey = given.privateKeyFile === undefined ? given.privateKey : readText(given.privateKeyFile);
  if (url.hostname === '' || url.username === '') throw new RangeError('the URL names no host or no user');
  if ([url.password, given.passwordFile, given.privateKey, given.privateKeyFile].filter(Boolean).length !== 1)
    throw new RangeError('it needs one of: a password in the URL, passwordFile, privateKey, privateKeyFile');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? SFTP_PORT : Number(url.port),
    username: decode(url.username),
    hostKey: given.hostKey,
    root: decode(url.pathname) || '/',
    ...(privateKey === undefined ? { password } : { privateKey }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('the URL is not percent-encoded');
  }
}
