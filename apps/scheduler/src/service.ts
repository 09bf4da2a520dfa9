import { openDatabase } from '@postloop/db';
import { checkQueueBackend, createProducer } from '@postloop/queue';
import {
  databaseOptions,
  queueConnection,
  Resources,
  type Service,
  type ServiceContext,
  sftpOf,
} from '@postloop/service-kit';
import { connectSftp } from '@postloop/sftp';
import type { Config } from './config.js';
import { runDueSchedules } from './due-schedules.js';
import { startLoop } from './loop.js';
import { createMetrics } from './metrics.js';
import { createNoticeTransport, noticeServer } from './notice-transport.js';
import { sendNotices } from './notices.js';
import { makePartitions } from './partitions.js';
import { watchQueues } from './queue-depths.js';
import { reconcile } from './reconcile.js';
import { recycle } from './recycle.js';
import { startScheduled } from './start-scheduled.js';
import { sweepContent } from './sweep-content.js';
import { sweepFiles } from './sweep-files.js';
import { watchLag } from './watch-lag.js';
import { writeLogs } from './write-logs.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
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
  const notices = {
    ...deps,
    send: createNoticeTransport(noticeServer(config), config.NOTICE_FROM),
    domain: config.NOTICE_FROM.split('@').at(-1) ?? '',
  };
  const files = {
    ...deps,
    connect: async (sftpAccount: string | null) => connectSftp(sftpOf(config, { sftpAccount })),
    pausedUntil: new Map<bigint, Date>(),
  };
  const loop = (name: string, everyMs: number, job: () => Promise<unknown>) =>
    resources.add(startLoop({ name, everyMs, job, log }));

  loop('partitions', HOUR_MS, () => makePartitions(db));
  loop('due-schedules', config.SCHEDULE_INTERVAL_MS, () => runDueSchedules(deps));
  loop('start-scheduled', config.SCHEDULE_INTERVAL_MS, () => startScheduled(deps));
  loop('reconcile', config.RECONCILE_INTERVAL_MS, () => reconcile(deps, config.RECONCILE_AFTER_MS));
  loop('queue-depths', config.RECONCILE_INTERVAL_MS, () => watchQueues(deps));
  loop('notices', config.JOURNAL_INTERVAL_MS, () => sendNotices(notices));
  loop('logs', config.JOURNAL_INTERVAL_MS, () => writeLogs(files));
  loop('sweep', config.SWEEP_INTERVAL_MS, () => sweepFiles(files));
  loop('recycle', MINUTE_MS, () => recycle(deps));
  loop('content', HOUR_MS, () => sweepContent(deps));
  loop('lag', LAG_INTERVAL_MS, () => watchLag(deps));

  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(connection) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
