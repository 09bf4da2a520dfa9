import { openDatabase } from '@postloop/db';
import { checkQueueBackend, createProducer, startWorker } from '@postloop/queue';
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
import { ForeignNames } from './foreign-names.js';
import { pollClient } from './poll.js';

/** Looks at inboxes when told to, claims complete files, writes the ledger. Holds no state: a crash loses nothing. */
export async function start(config: Config, { log }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  const db = resources.add(openDatabase(databaseOptions(config, log)));
  const producer = resources.add(createProducer(queue, log));
  const context = {
    db,
    producer,
    log,
    connect: (client: { sftpAccount: string | null }) => connectSftp(sftpOf(config, client)),
    stillnessMs: config.STILLNESS_MS,
    foreign: new ForeignNames(),
  };

  resources.add(
    startWorker(queue, 'inboxPoll', ({ clientId }) => pollClient(context, clientId), {
      concurrency: config.POLL_CONCURRENCY,
      lockMs: config.JOB_LOCK_MS,
      log,
    }),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
