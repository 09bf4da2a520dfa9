import type { Clock } from '@postloop/contracts';
import type { Keyring } from '@postloop/mail-domain';
import type { Logger } from '@postloop/service-kit';
import type { FindPage } from './find-page.js';
import type { FindTarget } from './find-target.js';
import type { Metrics } from './metrics.js';
import type { Spool } from './spool.js';

/** What the routes share. */
export interface GatewayDeps {
  keyring: Keyring;
  spool: Pick<Spool, 'append'>;
  findTarget: FindTarget;
  findPage: FindPage;
  clock: Clock;
  metrics: Metrics;
  log: Pick<Logger, 'error'>;
}
