import type { AddressInfo } from 'node:net';
import { describeError } from '@postloop/contracts';
import {
  insertEvents,
  openDatabase,
  selectLinksOfMailing,
  selectLinksStartedSince,
  selectTracesOfMailings,
} from '@postloop/db';
import { createKeyring } from '@postloop/mail-domain';
import { databaseOptions, Resources, type Service, type ServiceContext } from '@postloop/service-kit';
import type { FastifyInstance } from 'fastify';
import type { Config } from './config.js';
import { within } from './deadline.js';
import { startDrain } from './drain.js';
import { createFindPage } from './find-page.js';
import { createFindTarget } from './find-target.js';
import { LinkBook } from './link-book.js';
import { LinkFile } from './link-file.js';
import { startLinkRefresh } from './link-refresh.js';
import { createMetrics, watchSpool } from './metrics.js';
import { rejectInto } from './rejected-file.js';
import { createServer } from './server.js';
import { openSpool } from './spool.js';
import { lockSpool } from './spool-lock.js';

/** Time for requests, the last batch and connections to end, in milliseconds. */
const STOP_MS = 5_000;
const DAY_MS = 86_400_000;

/** @returns the service, and the port that it answers on */
export async function start(config: Config, context: ServiceContext): Promise<Service & { port: number }> {
  const resources = new Resources();
  try {
    return await open(config, context, resources);
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opened in this order, closed in the reverse one: stop answering, flush, drain, let go of the directory. */
async function open(config: Config, context: ServiceContext, resources: Resources) {
  const { log, clock } = context;
  const keys = config.TOKEN_KEYS;
  const keyring = createKeyring({ keys, current: keys[0]?.id ?? 0 });
  const metrics = createMetrics(context.metrics);
  // Bounded: whatever hangs is cut off by the end of the process, and the spool loses nothing by that.
  const later = (what: string, close: () => PromiseLike<unknown>) =>
    resources.add({
      [Symbol.asyncDispose]: () =>
        within(Promise.resolve(close()), 2 * STOP_MS, what).then(
          () => undefined,
          (error) => log.warn({ error: describeError(error) }, 'stopping'),
        ),
    });

  resources.add(await lockSpool(config.SPOOL_DIR));
  const db = openDatabase(databaseOptions(config, log));
  later('database', () => db[Symbol.asyncDispose]());
  const spool = await openSpool({
    directory: config.SPOOL_DIR,
    log,
    segmentBytes: config.SPOOL_SEGMENT_BYTES,
    segmentMs: config.SPOOL_SEGMENT_MS,
  });
  const onOldest = watchSpool(context.metrics, spool, clock);
  later('spool', () => spool.close());
  const insert = (events: Parameters<typeof insertEvents>[1]) => insertEvents(db, events);
  const reject = rejectInto(config.SPOOL_DIR, () => clock.now());
  const tracesOf = (mailingIds: readonly bigint[]) => selectTracesOfMailings(db.pool, mailingIds);
  const drain = startDrain({ spool, insert, tracesOf, reject, onOldest, metrics, log });
  later('drain', () => drain.finish(STOP_MS));

  const file = new LinkFile(config.SPOOL_DIR);
  const warn = (error: unknown) => log.warn({ error: describeError(error) }, 'links could not be kept on disk');
  const book = new LinkBook((targets, nowMs) => void file.append(targets, nowMs).catch(warn));
  book.recall(file.load(clock.now().getTime() - config.LINK_DAYS * DAY_MS));
  later('link file', () => file.settled());
  const selectStartedSince = (since: Date) => selectLinksStartedSince(db.pool, since);
  const refresh = startLinkRefresh({ book, selectStartedSince, days: config.LINK_DAYS, clock, metrics, log });
  later('links', () => refresh[Symbol.asyncDispose]());
  const selectOfMailing = (mailingId: bigint) => selectLinksOfMailing(db.pool, mailingId);
  const findTarget = createFindTarget({ book, selectOfMailing, clock, timeoutMs: config.LINK_LOOKUP_MS });

  const { PUBLIC_URL: publicUrl, LINK_LOOKUP_MS: timeoutMs } = config;
  const findPage = createFindPage({ db, keyring, publicUrl, timeoutMs, log });

  await refresh.first;
  const server = createServer({ keyring, spool, findTarget, findPage, clock, metrics, log }, config.GATEWAY_HTTP);
  later('server', () => closeServer(server));
  await server.listen({ host: config.GATEWAY_HOST, port: config.GATEWAY_PORT });
  const { port } = server.server.address() as AddressInfo;
  log.info({ port }, 'listening');
  return {
    port,
    // Not the database: the gateway answers without it. Its state is a metric.
    checks: { spool: () => spool.checkWritable() },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

/** Lets running requests end; who holds a connection open without one is cut off. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), STOP_MS / 2);
  await server.close();
  clearTimeout(cut);
}
