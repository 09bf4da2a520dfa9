import { z } from 'zod';
import { ConfigError, integer } from './config.js';
import { parsedBy } from './parsed-variable.js';
import { parseSftpAccounts, type SftpAccount } from './sftp-accounts.js';

export const sftpConfig = {
  SFTP_HOST: z.string().describe('SFTP server shared with the external system'),
  SFTP_PORT: integer(1, 65_535).default(22).describe('its port'),
  SFTP_USERNAME: z.string().describe('account of Postloop on it, for every client that names no other'),
  SFTP_PASSWORD: z.string().optional().describe('its password, or'),
  SFTP_PRIVATE_KEY: z.string().optional().describe('its private key (PEM); SFTP_PRIVATE_KEY_FILE names a file'),
  SFTP_ROOT: z
    .string()
    .startsWith('/')
    .default('/')
    .describe("directory on it below which the clients' directories lie"),
  SFTP_HOST_KEY: z
    .string()
    .describe('pinned host key: SHA256:… or an OpenSSH public key line; several separated by line breaks'),
  SFTP_ACCOUNTS: z
    .string()
    .transform(parsedBy(parseSftpAccounts))
    .default({})
    .describe(
      'more accounts, which clients name as sftpAccount, as JSON: {"NAME": {"url": "sftp://user@host:22/directory", "privateKeyFile" or "passwordFile": "/path", "hostKey": "SHA256:…"}}; SFTP_ACCOUNTS_FILE names a file',
    ),
};

type SftpSettings = z.output<z.ZodObject<typeof sftpConfig>>;

/**
 * The SFTP account of a client: the one that it names, else the one for all.
 * @throws ConfigError when it names one that is not configured
 */
export function sftpOf(config: SftpSettings, { sftpAccount }: { sftpAccount: string | null }): SftpAccount {
  if (sftpAccount === null) return defaultAccount(config);
  const named = Object.hasOwn(config.SFTP_ACCOUNTS, sftpAccount) ? config.SFTP_ACCOUNTS[sftpAccount] : undefined;
  if (!named) throw new ConfigError([`SFTP_ACCOUNTS: has no account "${sftpAccount}", which a client names`]);
  return named;
}

function defaultAccount(config: SftpSettings): SftpAccount {
  return {
    host: config.SFTP_HOST,
    port: config.SFTP_PORT,
    username: config.SFTP_USERNAME,
    hostKey: config.SFTP_HOST_KEY,
    root: config.SFTP_ROOT,
    ...(config.SFTP_PASSWORD === undefined ? {} : { password: config.SFTP_PASSWORD }),
    ...(config.SFTP_PRIVATE_KEY === undefined ? {} : { privateKey: config.SFTP_PRIVATE_KEY }),
  };
}
