import { openDatabase, settle, takeOff } from '@postloop/db';
import { createKeyring } from '@postloop/mail-domain';
import { dkimRecord } from '@postloop/mail-domain/dkim';
import { checkQueueBackend, startWorker } from '@postloop/queue';
import {
  databaseOptions,
  queueConnection,
  Resources,
  type Service,
  type ServiceContext,
  startAtZero,
} from '@postloop/service-kit';
import { Counter } from 'prom-client';
import { type Config, transportsOf } from './config.js';
import { rendererCache } from './renderers.js';
import { createSendJob } from './send-job.js';
import { Settler } from './settler.js';
import { openTransport } from './transport.js';

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
  startAtZero(mails, 'status', ['sent', 'deferred', 'could_not_be_sent', 'unknown', 'render_failed']);
  const settler = new Settler((settlements) => settle(db, settlements), log);
  const rendererOf = rendererCache(db, {
    keyring: createKeyring({ keys: config.TOKEN_KEYS, current: config.TOKEN_KEYS[0]?.id ?? 0 }),
    publicUrl: config.PUBLIC_URL,
    returnPathDomain: config.RETURN_PATH_DOMAIN,
  });

  for (const key of config.DKIM_KEYS) log.info(dkimRecord(key), 'signing; the DNS must have this TXT record');
  const transports = transportsOf(config).map((one) =>
    resources.add(
      openTransport(one, {
        takeOff: (attempts) => takeOff(db.pool, attempts),
        settler,
        retrySchedule: config.RETRY_SCHEDULE,
        mails,
        dkimKeys: config.DKIM_KEYS,
        batches: config.SEND_CONCURRENCY,
        log,
      }),
    ),
  );
  const sendJob = createSendJob(transports, { db, rendererOf, leaseMs: config.LEASE_MS, log });
  resources.add(
    startWorker(queue, 'mailSend', (key, { signal }) => sendJob(key, signal), {
      concurrency: config.SEND_CONCURRENCY * transports.length,
      lockMs: config.JOB_LOCK_MS,
      log,
    }),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}
