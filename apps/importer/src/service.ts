import { openDatabase } from '@postloop/db';
import { checkQueueBackend, createProducer, startWorker } from '@postloop/queue';
import { queueConnection, Resources, type Service, type ServiceContext, sftpConnection } from '@postloop/service-kit';
import { connectSftp } from '@postloop/sftp';
import { Counter } from 'prom-client';
import type { Config } from './config.js';
import { importFile } from './import-file.js';

/** Streams claimed files into staging, validates them set-wise, makes mailing recipients. */
export async function start(config: Config, { log, metrics }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  const db = resources.add(
    openDatabase({
      url: config.DATABASE_URL,
      // Each import holds two connections: its lock, and its COPY or transaction.
      poolMax: Math.max(config.DATABASE_POOL, config.IMPORT_CONCURRENCY * 2 + 2),
      onError: (error) => log.warn({ error: error.message }, 'database connection'),
    }),
  );
  const producer = resources.add(createProducer(queue, log));
  const rows = new Counter({
    name: 'postloop_imported_rows_total',
    help: 'Input rows by first status',
    labelNames: ['status'],
    registers: [metrics],
  });
  const files = new Counter({
    name: 'postloop_imported_files_total',
    help: 'Recipient files by outcome',
    labelNames: ['status'],
    registers: [metrics],
  });

  resources.add(
    startWorker(
      queue,
      'fileImport',
      async ({ importId }) => {
        await using sftp = await connectSftp(sftpConnection(config));
        await importFile(
          { db, producer, sftp, log: log.child({ importId: importId.toString() }), rows, files },
          importId,
        );
      },
      { concurrency: config.IMPORT_CONCURRENCY, lockMs: config.JOB_LOCK_MS, log },
    ),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
