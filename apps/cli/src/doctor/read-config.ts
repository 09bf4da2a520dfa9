import type { DkimKey } from '@postloop/mail-domain/dkim';
import {
  ConfigError,
  type Environment,
  missingSelectors,
  parseConfig,
  queueConnection,
  type SftpAccount,
  sftpOf,
  type TransportSettings,
  transportsOf,
} from '@postloop/service-kit';
import { z } from 'zod';
import { configGroups } from '../config.js';
import { type CheckResult, fail, ok } from './check.js';

/** The settings that could be read; a group with a fault is missing, and is told among the results. */
export interface ReadConfig {
  results: CheckResult[];
  databaseUrl: string | undefined;
  queue: ReturnType<typeof queueConnection> | undefined;
  /** The one for all. */
  sftp: SftpAccount | undefined;
  transports: readonly TransportSettings[] | undefined;
  returnPathDomain: string | undefined;
  dkimKeys: readonly DkimKey[] | undefined;
}

const CHECK = 'configuration';

/** Reads each group by itself: a fault in one does not hide what is wrong with the others' servers. */
export function readConfig(env: Environment, source: string): ReadConfig {
  const problems: string[] = [];
  const attempt = <R>(read: () => R): R | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const database = attempt(() => parseConfig(z.object(configGroups.database), env));
  const queue = attempt(() => {
    const read = parseConfig(z.object(configGroups.queue), env);
    if (read.QUEUE_BACKEND === 'postgres' && !database) return undefined;
    return queueConnection({ ...read, DATABASE_POOL: 1, DATABASE_URL: database?.DATABASE_URL ?? '' });
  });
  const sftp = attempt(() => sftpOf(parseConfig(z.object(configGroups.sftp), env), { sftpAccount: null }));
  const transports = attempt(() => transportsOf(parseConfig(z.object(configGroups.smtp), env)));
  const dkimKeys = attempt(() => parseConfig(z.object(configGroups.dkim), env).DKIM_KEYS);
  if (transports && dkimKeys)
    problems.push(...missingSelectors(transports, dkimKeys).map((problem) => `SMTP_TRANSPORTS: ${problem}`));
  attempt(() => parseConfig(z.object(configGroups.tracking), env));
  const returnPathDomain = attempt(() => parseConfig(z.object(configGroups.dns), env).RETURN_PATH_DOMAIN);
  const results = problems.map((problem) =>
    fail(CHECK, {
      code: problem.includes(': is not set') ? 'variable_missing' : 'variable_invalid',
      found: problem,
      remedy: `Set ${problem.slice(0, problem.indexOf(':'))} in the environment of Postloop's apps, or its _FILE.`,
    }),
  );
  if (results.length === 0) results.push(ok(CHECK, `every variable is there (from ${source})`));
  return { results, databaseUrl: database?.DATABASE_URL, queue, sftp, transports, returnPathDomain, dkimKeys };
}
