import { createContentFetcher } from '@postloop/content';
import { openDatabase } from '@postloop/db';
import { checkQueueBackend, createProducer, startWorker } from '@postloop/queue';
import {
  contentLeaseMs,
  contentRules,
  databaseOptions,
  queueConnection,
  Resources,
  type Service,
  type ServiceContext,
  startAtZero,
} from '@postloop/service-kit';
import { Counter } from 'prom-client';
import { buildMailings } from './build-mailings.js';
import type { Config } from './config.js';

/** Copies and compiles the source mailings of an import, plans batches, starts the copies. */
export async function start(config: Config, { log, metrics, clock }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  // Each build holds two connections: its lock and its transaction.
  const db = resources.add(openDatabase(databaseOptions(config, log, config.BUILD_CONCURRENCY * 2 + 2)));
  const producer = resources.add(createProducer(queue, log));
  const content = {
    fetcher: resources.add(createContentFetcher(contentRules(config))),
    leaseMs: contentLeaseMs(config),
  };
  const built = new Counter({
    name: 'postloop_mailings_built_total',
    help: 'Mailings by outcome of their build',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  startAtZero(built, 'outcome', ['started', 'failed']);
  resources.add(
    startWorker(
      queue,
      'mailingBuild',
      ({ importId }) =>
        buildMailings(
          {
            db,
            producer,
            clock,
            log: log.child({ importId: importId.toString() }),
            batchSize: config.BATCH_SIZE,
            content,
            built,
          },
          importId,
        ),
      { concurrency: config.BUILD_CONCURRENCY, lockMs: config.JOB_LOCK_MS, log },
    ),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
