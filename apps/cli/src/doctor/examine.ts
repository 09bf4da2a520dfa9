import type { Settings } from '../config.js';
import type { CheckResult } from './check.js';
import { checkClock } from './clock.js';
import { checkDatabase } from './database.js';
import { checkDkim } from './dkim.js';
import { checkReturnPath, type Lookup } from './dns.js';
import { checkQueue } from './queue.js';
import { readConfig } from './read-config.js';
import { checkSftp } from './sftp.js';
import { checkTransports } from './smtp.js';

/** Looks at everything that Postloop depends on. Changes nothing but for one file that it writes over SFTP and removes. */
export async function examine({ env, source }: Settings, lookup: Lookup): Promise<CheckResult[]> {
  const config = readConfig(env, source);
  const others = Promise.all([
    checkQueue(config.queue),
    checkTransports(config.transports),
    checkReturnPath(config.returnPathDomain, lookup),
    checkDkim(config.dkimKeys, lookup),
  ]);
  const database = await checkDatabase(config.databaseUrl);
  const sftp = await checkSftp(config.sftp, database.clientDirectory);
  const [queue, transports, returnPath, dkim] = await others;
  return [
    ...config.results,
    ...database.results,
    queue,
    ...sftp.results,
    ...transports,
    ...returnPath,
    ...dkim,
    checkClock('PostgreSQL', database.clockAheadMs),
    checkClock('the SFTP server', sftp.clockAheadMs),
  ];
}
