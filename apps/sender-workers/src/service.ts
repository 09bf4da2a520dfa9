import { randomUUID } from 'node:crypto';
import { contentFaults, createContentFetcher } from '@postloop/content';
import { describeError } from '@postloop/contracts';
import { type Draw, drawFromLimits, openDatabase, recordDeliveries, releasePlaces } from '@postloop/db';
import { createKeyring, type ReferencedContent } from '@postloop/mail-domain';
import { dkimRecord } from '@postloop/mail-domain/dkim';
import { checkQueueBackend, startWorker } from '@postloop/queue';
import {
  BoundedCache,
  contentLeaseMs,
  contentRules,
  databaseOptions,
  killPoint,
  queueConnection,
  Resources,
  type Service,
  type ServiceContext,
  startAtZero,
  transportsOf,
} from '@postloop/service-kit';
import { Counter, type Registry } from 'prom-client';
import type { Config } from './config.js';
import { DeliveryBook } from './delivery-book.js';
import { LimitBook } from './limit-book.js';
import { Limits } from './limits.js';
import { createMailData } from './mail-data.js';
import { refusedWrites } from './refused-writes.js';
import { createSendJob } from './send-job.js';
import { sendingMailings } from './sending-mailings.js';
import { openTransport } from './transport.js';

/** After so long the limits' places of a worker that fell silent are free for the others. */
const LIMIT_LEASE_MS = 15_000;

/** Bytes of content that is kept for the next batches, */
const CONTENT_KEPT = 64 * 1024 * 1024;
/** and that one batch holds at a time. */
const CONTENT_AT_ONCE = 32 * 1024 * 1024;
/** It is held as it is and as it stands in mails. */
const ENCODED = 2.4;

/** Claims batches, renders, speaks SMTP, settles. Any number of them may run; none is special. */
export async function start(config: Config, { log, metrics }: ServiceContext): Promise<Service> {
  const queue = queueConnection(config);
  await checkQueueBackend(queue);
  const resources = new Resources();
  // One that falls silent keeps the rows of its batches no longer than the batches.
  const db = resources.add(
    openDatabase({ ...databaseOptions(config, log), idleInTransactionMs: config.LEASE_MS, lookupsByKey: true }),
  );
  const mails = new Counter({
    name: 'postloop_mails_total',
    help: 'Attempts by what became of them',
    labelNames: ['status'],
    registers: [metrics],
  });
  startAtZero(mails, 'status', ['sent', 'deferred', 'could_not_be_sent', 'unknown', 'render_failed']);
  const refused = refusedWrites(metrics, log);
  const book = new DeliveryBook(async (settlements, attempts) => {
    if (attempts.length > 0) killPoint('sender.before-take-off');
    const { settled, takenOff } = await recordDeliveries(db, settlements, attempts);
    if (attempts.length > 0) killPoint('sender.after-take-off');
    refused('answer', settlements.length - settled);
    refused('take_off', attempts.length - takenOff.size);
    return takenOff;
  }, log);
  const mailingOf = sendingMailings(db, {
    composer: config.MAIL_COMPOSER,
    keyring: createKeyring({ keys: config.TOKEN_KEYS, current: config.TOKEN_KEYS[0]?.id ?? 0 }),
    publicUrl: config.PUBLIC_URL,
    returnPathDomain: config.RETURN_PATH_DOMAIN,
  });
  const prepare = createMailData({
    db,
    fetcher: resources.add(createContentFetcher(contentRules(config))),
    cache: new BoundedCache<string, ReferencedContent>(CONTENT_KEPT, ({ bytes }) => bytes.length * ENCODED),
    leaseMs: contentLeaseMs(config),
    urlsAtOnce: Math.max(1, Math.floor(CONTENT_AT_ONCE / config.CONTENT_MAX_BYTES)),
    fetches: contentFetches(metrics),
    log,
  });

  const worker = randomUUID();
  resources.add({
    // Without the database they are free when their lease is over.
    [Symbol.asyncDispose]: () =>
      releasePlaces(db.pool, worker).catch((error) =>
        log.warn({ error: describeError(error) }, 'places of the shared limits are not given back'),
      ),
  });
  const draw = (draws: readonly Draw[]) => drawFromLimits(db.pool, worker, draws, { leaseMs: LIMIT_LEASE_MS });
  const limits = resources.add(new Limits(draw, LIMIT_LEASE_MS, log));
  const limitBook = new LimitBook(limits, config.DOMAIN_LIMITS);

  for (const key of config.DKIM_KEYS) log.info(dkimRecord(key), 'signing; the DNS must have this TXT record');
  const transports = transportsOf(config).map((one) =>
    resources.add(
      openTransport(one, {
        limits,
        book,
        retrySchedule: config.RETRY_SCHEDULE,
        mails,
        dkimKeys: config.DKIM_KEYS,
        batches: config.SEND_CONCURRENCY,
        log,
      }),
    ),
  );
  const sendJob = createSendJob(transports, {
    db,
    mailingOf,
    prepare,
    limitBook,
    leaseMs: config.LEASE_MS,
    refused,
    log,
  });
  resources.add(
    startWorker(queue, 'mailSend', (key, { signal }) => sendJob(key, signal), {
      // One more than there are places for batches: it asks for one, so that a batch that limits hold back learns of others.
      concurrency: config.SEND_CONCURRENCY * transports.length + 1,
      lockMs: config.JOB_LOCK_MS,
      log,
    }),
  );
  return {
    checks: { database: db.ping, queue: () => checkQueueBackend(queue) },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

function contentFetches(metrics: Registry): Counter<'outcome'> {
  const name = 'postloop_content_fetches_total';
  const help = 'Texts, pictures and attachments that mails refer to, by what became of fetching them';
  const fetches = new Counter({ name, help, labelNames: ['outcome'], registers: [metrics] });
  return startAtZero(fetches, 'outcome', ['fetched', ...contentFaults]);
}
