import { countWaitingInboundMessages, type IncomingMessage, openDatabase, storeInboundMessages } from '@postloop/db';
import { createKeyring } from '@postloop/mail-domain';
import { databaseOptions, Resources, type Service, type ServiceContext } from '@postloop/service-kit';
import type { Config } from './config.js';
import { startForgetting } from './forget.js';
import { openMailbox, readImapUrl } from './imap-mailbox.js';
import { startImapPoll } from './imap-poll.js';
import { createMetrics, type Metrics, watchWaiting } from './metrics.js';
import { ownAddresses } from './own-addresses.js';
import { Parser } from './parser.js';
import type { ProcessLoop } from './process-loop.js';
import { startProcessing } from './process-messages.js';
import type { RecordContext } from './record-messages.js';
import { startReceiver } from './smtp-receiver.js';
import { StoreGroup } from './store-group.js';

/** @returns the service, and the port that SMTP is spoken on */
export async function start(config: Config, context: ServiceContext): Promise<Service & { port: number }> {
  const resources = new Resources();
  try {
    return await open(config, context, resources);
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opened in this order, closed in the reverse one: stop taking over, end what is being read, let go of the database. */
async function open(config: Config, context: ServiceContext, resources: Resources) {
  const { log, clock } = context;
  const db = resources.add(openDatabase(databaseOptions(config, log, config.INBOUND_PARSERS + 2)));
  const metrics = createMetrics(context.metrics);
  watchWaiting(context.metrics, () => countWaitingInboundMessages(db.pool));
  const keyring = createKeyring({ keys: config.TOKEN_KEYS, current: config.TOKEN_KEYS[0]?.id ?? 0 });
  const own = ownAddresses({ keyring, returnPathDomain: config.RETURN_PATH_DOMAIN, ...config.INBOUND_ADDRESSES });
  const loops = startLoops(config, { db, keyring, own, metrics, log }, resources);
  const group = new StoreGroup((messages) => storeInboundMessages(db.pool, messages));
  const store = async (message: IncomingMessage) => {
    const stored = await group.store(message);
    for (const loop of loops) loop.wake();
    return stored;
  };
  resources.add(startForgetting(db, config.INBOUND_KEEP_DAYS, log));
  if (config.INBOUND_IMAP_URL !== undefined)
    resources.add(startImapPoll(imapOptions(config, config.INBOUND_IMAP_URL, { store, metrics, context })));
  const receiver = resources.add(
    await startReceiver({ ...smtpOptions(config), accepts: own.accepts, store, now: () => clock.now(), metrics, log }),
  );
  log.info({ port: receiver.port }, 'listening');
  return {
    port: receiver.port,
    // The mailbox is no part of readiness: when it is away its messages wait there. Its state is in the log.
    checks: { database: db.ping },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

/** Each loop has a thread of its own: a message that takes long holds up its loop only. */
function startLoops(config: Config, context: RecordContext, resources: Resources): ProcessLoop[] {
  const options = { ...context, leaseMs: config.LEASE_MS, retryMs: config.INBOUND_RETRY_MS };
  return Array.from({ length: config.INBOUND_PARSERS }, () => {
    const parser = resources.add(
      new Parser({
        timeoutMs: config.INBOUND_PARSE_MS,
        heapMb: config.INBOUND_PARSE_HEAP_MB,
        onReplaced: () => context.metrics.parsersReplaced.inc(),
      }),
    );
    return resources.add(startProcessing(options, parser));
  });
}

function smtpOptions(config: Config) {
  const { INBOUND_TLS_KEY: key, INBOUND_TLS_CERT: cert } = config;
  return {
    host: config.INBOUND_HOST,
    port: config.INBOUND_SMTP_PORT,
    name: config.RETURN_PATH_DOMAIN,
    maxBytes: config.INBOUND_MAX_BYTES,
    bufferBytes: config.INBOUND_BUFFER_BYTES,
    connections: config.INBOUND_CONNECTIONS,
    connectionsPerAddress: config.INBOUND_CONNECTIONS_PER_ADDRESS,
    ratePerMinute: config.INBOUND_RATE,
    tls: key !== undefined && cert !== undefined ? { key, cert } : undefined,
  };
}

function imapOptions(
  config: Config,
  url: string,
  {
    store,
    metrics,
    context,
  }: {
    store: (message: IncomingMessage) => Promise<'stored' | 'known'>;
    metrics: Metrics;
    context: ServiceContext;
  },
) {
  const account = readImapUrl(url, config.INBOUND_IMAP_PLAIN);
  return {
    open: () => openMailbox(account, config.INBOUND_MAX_BYTES),
    maxBytes: config.INBOUND_MAX_BYTES,
    doneFolder: config.INBOUND_IMAP_DONE,
    store,
    intervalMs: config.INBOUND_IMAP_INTERVAL_MS,
    now: () => context.clock.now(),
    metrics,
    log: context.log,
  };
}
