import { openDatabase, settle, takeOff } from '@postloop/db';
import { createKeyring } from '@postloop/mail-domain';
import { checkQueueBackend, startWorker } from '@postloop/queue';
import { databaseOptions, queueConnection, Resources, type Service, type ServiceContext } from '@postloop/service-kit';
import { Counter } from 'prom-client';
import type { Config } from './config.js';
import { Connection } from './connection.js';
import { PLACES_PER_CONNECTION, runPlace } from './connection-loop.js';
import { Dispatcher } from './dispatcher.js';
import { rendererCache } from './renderers.js';
import { type MailLoad, sendBatch } from './send-batch.js';
import { Settler } from './settler.js';

/** Claims batches, renders, speaks SMTP, settles. Any number of them may run; none is special. */
export async function start(config: Config, { log, metrics }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  const db = resources.add(openDatabase(databaseOptions(config, log)));
  const mails = new Counter({
    name: 'postloop_mails_total',
    help: 'Attempts by what became of them',
    labelNames: ['status'],
    registers: [metrics],
  });
  const dispatcher = new Dispatcher<MailLoad>((attempts) => takeOff(db.pool, attempts));
  const settler = new Settler((settlements) => settle(db, settlements), log);
  const rendererOf = rendererCache(db, {
    keyring: createKeyring({ keys: config.TOKEN_KEYS, current: config.TOKEN_KEYS[0]?.id ?? 0 }),
    publicUrl: config.PUBLIC_URL,
    returnPathDomain: config.RETURN_PATH_DOMAIN,
  });

  const server = {
    url: config.SMTP_URL,
    requireTls: config.SMTP_REQUIRE_TLS,
    helloName: config.SMTP_HELLO_NAME,
    timeoutMs: config.SMTP_TIMEOUT_MS,
  };
  const loop = { dispatcher, settler, retrySchedule: config.RETRY_SCHEDULE, mails };
  const connections = Array.from({ length: config.SMTP_CONNECTIONS }, () => new Connection(server, log));
  const places = connections.flatMap((connection) =>
    Array.from({ length: PLACES_PER_CONNECTION }, () => runPlace(connection, loop)),
  );
  resources.add({
    async [Symbol.asyncDispose]() {
      dispatcher.close();
      await Promise.all(connections.map((connection) => connection.close()));
      await Promise.all(places);
    },
  });
  resources.add(
    startWorker(
      queue,
      'mailSend',
      (key, { signal }) => sendBatch({ db, dispatcher, rendererOf, leaseMs: config.LEASE_MS, log }, key, signal),
      { concurrency: config.SEND_CONCURRENCY, lockMs: config.JOB_LOCK_MS, log },
    ),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
