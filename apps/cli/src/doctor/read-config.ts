import { ConfigError, type Environment, parseConfig, queueConnection, sftpConnection } from '@postloop/service-kit';
import { z } from 'zod';
import { configGroups } from '../config.js';
import { type CheckResult, fail, ok } from './check.js';

/** The settings that could be read; a group with a fault is missing, and is told among the results. */
export interface ReadConfig {
  results: CheckResult[];
  databaseUrl: string | undefined;
  queue: ReturnType<typeof queueConnection> | undefined;
  sftp: ReturnType<typeof sftpConnection> | undefined;
  smtp: { url: string; requireTls: boolean; helloName: string } | undefined;
  dns: { returnPathDomain: string; dkimDomain: string | undefined; dkimSelector: string | undefined } | undefined;
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
  const sftp = attempt(() => sftpConnection(parseConfig(z.object(configGroups.sftp), env)));
  const smtp = attempt(() => {
    const { SMTP_URL, SMTP_REQUIRE_TLS, SMTP_HELLO_NAME } = parseConfig(z.object(configGroups.smtp), env);
    return { url: SMTP_URL, requireTls: SMTP_REQUIRE_TLS, helloName: SMTP_HELLO_NAME };
  });
  attempt(() => parseConfig(z.object(configGroups.tracking), env));
  const dns = attempt(() => {
    const { RETURN_PATH_DOMAIN, DKIM_DOMAIN, DKIM_SELECTOR } = parseConfig(z.object(configGroups.dns), env);
    return { returnPathDomain: RETURN_PATH_DOMAIN, dkimDomain: DKIM_DOMAIN, dkimSelector: DKIM_SELECTOR };
  });
  const results = problems.map((problem) =>
    fail(CHECK, {
      code: problem.includes(': is not set') ? 'variable_missing' : 'variable_invalid',
      found: problem,
      remedy: `Set ${problem.slice(0, problem.indexOf(':'))} in the environment of Postloop's apps, or its _FILE.`,
    }),
  );
  if (results.length === 0) results.push(ok(CHECK, `every variable is there (from ${source})`));
  return { results, databaseUrl: database?.DATABASE_URL, queue, sftp, smtp, dns };
}
