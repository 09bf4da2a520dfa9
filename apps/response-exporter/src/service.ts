import { openDatabase } from '@postloop/db';
import { checkQueueBackend, startWorker } from '@postloop/queue';
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
import { exportResponses } from './export-responses.js';
import { createMetrics } from './metrics.js';
import { sftpCheck } from './sftp-check.js';

/** Hands each client's news back as response files. What a run holds is fixed in PostgreSQL before its first byte. */
export async function start(config: Config, { log, metrics: registry, clock }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  // Each run holds three connections, its lock and two that read its snapshot, and uses another for moments.
  const db = resources.add(openDatabase(databaseOptions(config, log, config.EXPORT_CONCURRENCY * 3 + 2)));
  const metrics = createMetrics(registry);
  const connect = (client: { sftpAccount: string | null }) => connectSftp(sftpOf(config, client));
  resources.add(
    startWorker(
      queue,
      'responseExport',
      async (payload, { signal }) => {
        await exportResponses({ db, connect, clock, log, metrics, signal }, payload);
      },
      // The job of an exporter that was killed blocks the client's next one until its lock is over.
      { concurrency: config.EXPORT_CONCURRENCY, lockMs: config.JOB_LOCK_MS, log },
    ),
  );
  return {
    checks: {
      database: db.ping,
      queue: () => checkQueueBackend(queue),
      sftp: sftpCheck(() => connect({ sftpAccount: null }), clock),
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
