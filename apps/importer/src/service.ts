import { openDatabase } from '@postloop/db';
import { checkQueueBackend, createProducer, startWorker } from '@postloop/queue';
import {
  databaseOptions,
  queueConnection,
  Resources,
  type Service,
  type ServiceContext,
  sftpOf,
  startAtZero,
} from '@postloop/service-kit';
import { connectSftp } from '@postloop/sftp';
import { Counter } from 'prom-client';
import type { Config } from './config.js';
import { importFile } from './import-file.js';

/** Streams claimed files into mailing recipients, and checks them set-wise. */
export async function start(config: Config, { log, metrics, clock }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  // Each import holds two connections: its lock, and its COPY or transaction.
  const db = resources.add(openDatabase(databaseOptions(config, log, config.IMPORT_CONCURRENCY * 2 + 2)));
  const producer = resources.add(createProducer(queue, log));
  const connect = (client: { sftpAccount: string | null }) => connectSftp(sftpOf(config, client));
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
  startAtZero(rows, 'status', ['queued', 'suppressed', 'invalid', 'duplicate']);
  startAtZero(files, 'status', ['imported', 'empty', 'stored', 'ignored', 'failed']);

  resources.add(
    startWorker(
      queue,
      'fileImport',
      ({ importId }) =>
        importFile(
          { db, producer, connect, clock, log: log.child({ importId: importId.toString() }), rows, files },
          importId,
        ),
      { concurrency: config.IMPORT_CONCURRENCY, lockMs: config.JOB_LOCK_MS, log },
    ),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
