import { openDatabase } from '@postloop/db';
import { checkQueueBackend, createProducer } from '@postloop/queue';
import { databaseOptions, queueConnection, Resources, type Service, type ServiceContext } from '@postloop/service-kit';
import type { Config } from './config.js';
import { runDueSchedules } from './due-schedules.js';
import { startLoop } from './loop.js';
import { createMetrics } from './metrics.js';
import { makePartitions } from './partitions.js';
import { watchQueues } from './queue-depths.js';
import { reconcile } from './reconcile.js';
import { watchLag } from './watch-lag.js';

const HOUR_MS = 3_600_000;
const LAG_INTERVAL_MS = 10_000;

/** Several schedulers may run: in each loop one acts at a time, the others find nothing to do. */
export async function start(config: Config, { log, metrics: registry, clock }: ServiceContext): Promise<Service> {
  const connection = queueConnection(config);
  await checkQueueBackend(connection);
  const resources = new Resources();
  const db = resources.add(openDatabase(databaseOptions(config, log)));
  const producer = resources.add(createProducer(connection, log));
  const metrics = createMetrics(registry);
  const deps = { db, producer, clock, log, metrics, complained: new Set<string>() };
  const loop = (name: string, everyMs: number, job: () => Promise<unknown>) =>
    resources.add(startLoop({ name, everyMs, job, log }));

  loop('partitions', HOUR_MS, () => makePartitions(db));
  loop('due-schedules', config.SCHEDULE_INTERVAL_MS, () => runDueSchedules(deps));
  loop('reconcile', config.RECONCILE_INTERVAL_MS, () => reconcile(deps, config.RECONCILE_AFTER_MS));
  loop('queue-depths', config.RECONCILE_INTERVAL_MS, () => watchQueues(deps));
  loop('lag', LAG_INTERVAL_MS, () => watchLag(deps));

  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(connection) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
