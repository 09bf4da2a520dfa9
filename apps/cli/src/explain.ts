import { describeError } from '@postloop/contracts';
import { SftpConnectionLost, SftpHostKeyError } from '@postloop/sftp';

/** Why a server cannot be used: a stable name of the case, what was seen, what to do. */
export interface Explanation {
  code: string;
  found: string;
  remedy: string;
}

/** What PostgreSQL or the way to it said (error codes: PostgreSQL documentation, appendix A). */
export function explainDatabaseError(error: unknown, url: string): Explanation {
  const place = placeOf(url);
  const found = `${place}: ${describeError(error)}`;
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return { code: 'database_login', found, remedy: 'Correct user and password in DATABASE_URL.' };
    case '3D000':
      return {
        code: 'database_missing',
        found,
        remedy: 'Create the database (CREATE DATABASE …), or correct its name in DATABASE_URL.',
      };
    case 'ECONNREFUSED':
      return {
        code: 'database_refused',
        found: `${place} refuses connections`,
        remedy: 'Start PostgreSQL, or correct host and port in DATABASE_URL.',
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { code: 'database_host', found, remedy: 'Correct the host in DATABASE_URL.' };
    default:
      return { code: 'database_failed', found, remedy: 'Check DATABASE_URL and the log of PostgreSQL.' };
  }
}

export function explainQueueError(error: unknown, url: string): Explanation {
  const place = placeOf(url);
  const message = describeError(error);
  const policy = /maxmemory-policy (\S+?)\)/.exec(message)?.[1];
  if (policy)
    return {
      code: 'redis_evicts',
      found: `Redis ${place} evicts keys when memory runs out (maxmemory-policy ${policy})`,
      remedy: 'Set "maxmemory-policy noeviction" in redis.conf: an evicted key is a job that is forgotten.',
    };
  if (codeOf(error) === 'ECONNREFUSED' || /ECONNREFUSED|Connection is closed/.test(message))
    return {
      code: 'redis_refused',
      found: `Redis ${place} refuses connections`,
      remedy: 'Start Redis, or correct host and port in REDIS_URL (or set QUEUE_BACKEND=postgres).',
    };
  if (/NOAUTH|WRONGPASS|AUTH/.test(message))
    return { code: 'redis_login', found: `Redis ${place}: ${message}`, remedy: 'Correct the password in REDIS_URL.' };
  return { code: 'redis_failed', found: `Redis ${place}: ${message}`, remedy: 'Check REDIS_URL and the log of Redis.' };
}

export function explainSftpError(error: unknown): Explanation {
  const found = describeError(error);
  if (error instanceof SftpHostKeyError)
    return {
      code: 'sftp_host_key',
      found,
      remedy: 'Compare the fingerprint with the operator of the server, then pin that one in SFTP_HOST_KEY.',
    };
  if (error instanceof SftpConnectionLost)
    return {
      code: 'sftp_refused',
      found,
      remedy: 'Start the SFTP server, or correct SFTP_HOST and SFTP_PORT; a firewall may be in between.',
    };
  if (/refused the login/.test(found))
    return {
      code: 'sftp_login',
      found,
      remedy: 'Correct SFTP_USERNAME and SFTP_PASSWORD (or SFTP_PRIVATE_KEY).',
    };
  return { code: 'sftp_failed', found, remedy: 'Check the SFTP settings and the log of the server.' };
}

/** The error's code, also that of the first of several attempts (one per address of the host). */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return error instanceof Error && error.cause ? codeOf(error.cause) : undefined;
}

/** Host and port of a URL: never the user and the password. */
export function placeOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'the server';
  }
}
