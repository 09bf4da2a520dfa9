import type { Settings } from '../config.js';
import type { CheckResult } from './check.js';
import { checkClock } from './clock.js';
import { checkDatabase } from './database.js';
import { checkDns, type Lookup } from './dns.js';
import { checkQueue } from './queue.js';
import { readConfig } from './read-config.js';
import { checkSftp } from './sftp.js';
import { checkSmtp } from './smtp.js';

/** Looks at everything that Postloop depends on. Changes nothing but for one file that it writes over SFTP and removes. */
export async function examine({ env, source }: Settings, lookup: Lookup): Promise<CheckResult[]> {
  const config = readConfig(env, source);
  const others = Promise.all([checkQueue(config.queue), checkSmtp(config.smtp), checkDns(config.dns, lookup)]);
  const database = await checkDatabase(config.databaseUrl);
  const sftp = await checkSftp(config.sftp, database.clientDirectory);
  const [queue, smtp, dns] = await others;
  return [
    ...config.results,
    ...database.results,
    queue,
    ...sftp.results,
    smtp,
    ...dns,
    checkClock('PostgreSQL', database.clockAheadMs),
    checkClock('the SFTP server', sftp.clockAheadMs),
  ];
}
