import { once } from 'node:events';
import { describeError } from '@postloop/contracts';
import type { IncomingMessage } from '@postloop/db';
import { killPoint, type Logger } from '@postloop/service-kit';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { ByteBudget } from './byte-budget.js';
import { ConnectionPlaces } from './connection-places.js';
import type { Metrics } from './metrics.js';
import { RateLimit } from './rate-limit.js';
import { readMessage } from './read-message.js';
import { refusals } from './refusals.js';

export interface ReceiverOptions {
  host: string;
  /** 0 = any free one. */
  port: number;
  /** What the server calls itself. */
  name: string;
  maxBytes: number;
  bufferBytes: number;
  connections: number;
  connectionsPerAddress: number;
  /** Messages and refused recipients a minute from one remote address. */
  ratePerMinute: number;
  /** For STARTTLS; without it none is offered. */
  tls: { key: string; cert: string } | undefined;
  accepts: (address: string) => boolean;
  /** Resolves when the message is durable. */
  store: (message: IncomingMessage) => Promise<'stored' | 'known'>;
  now: () => Date;
  metrics: Metrics;
  log: Pick<Logger, 'warn'>;
}

/** RFC 5321 4.5.3.1.8. */
const MAX_RECIPIENTS = 100;
const SOCKET_TIMEOUT_MS = 120_000;
const CLOSE_MS = 5_000;

/** Takes mail over by SMTP: a recipient is known before DATA, a message is durable before 250. */
export async function startReceiver(options: ReceiverOptions): Promise<AsyncDisposable & { port: number }> {
  const { metrics, log } = options;
  const rate = new RateLimit(options.ratePerMinute);
  const budget = new ByteBudget(options.bufferBytes);
  const places = new ConnectionPlaces(options.connectionsPerAddress);
  const server = new SMTPServer({
    name: options.name,
    banner: 'Postloop',
    size: options.maxBytes,
    maxClients: options.connections,
    socketTimeout: SOCKET_TIMEOUT_MS,
    closeTimeout: CLOSE_MS,
    disableReverseLookup: true,
    logger: false,
    disabledCommands: options.tls ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    ...options.tls,
    onConnect: ({ id, remoteAddress }, done) =>
      done(places.take(id, remoteAddress) ? null : refusals.tooManyConnections()),
    onClose: ({ id }) => places.give(id),
    onMailFrom: (_address, { remoteAddress }, done) => {
      if (rate.take(remoteAddress)) return done();
      metrics.messages.inc({ source: 'smtp', outcome: 'refused_rate' });
      done(refusals.tooFast());
    },
    onRcptTo: ({ address }, { remoteAddress, envelope }, done) => {
      if (envelope.rcptTo.length >= MAX_RECIPIENTS) return done(refusals.tooManyRecipients());
      if (options.accepts(address)) return done();
      metrics.recipientsRefused.inc();
      done(rate.take(remoteAddress) ? refusals.unknownRecipient() : refusals.tooFast());
    },
    onData: (stream, session, done) => {
      receive(stream, session).then(
        (error) => done(error),
        () => undefined,
      ); // the client has gone: nobody to answer
    },
  });

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Error | undefined> {
    const message = await readMessage(stream, { maxBytes: options.maxBytes, budget, cut: () => cut(server, session) });
    const count = (outcome: string) => metrics.messages.inc({ source: 'smtp', outcome });
    if (message.kind !== 'whole') {
      count(message.kind === 'too_big' ? 'refused_size' : 'refused_busy');
      return message.kind === 'too_big' ? refusals.tooBig() : refusals.busy();
    }
    try {
      count(await options.store(incoming(session, message.raw, options.now())));
    } catch (error) {
      count('failed');
      log.warn({ error: describeError(error) }, 'a message could not be stored: its server tries again');
      return refusals.notNow();
    } finally {
      message.release();
    }
    killPoint('inbound.after-store');
    return undefined;
  }

  // Of single connections: clients that break off, TLS that fails.
  server.on('error', (error: Error) => log.warn({ error: error.message }, 'SMTP connection'));
  server.listen(options.port, options.host);
  await once(server.server, 'listening');
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function incoming(session: SMTPServerSession, raw: Buffer, receivedAt: Date): IncomingMessage {
  const { mailFrom, rcptTo } = session.envelope;
  return {
    source: 'smtp',
    raw,
    envelopeFrom: mailFrom === false ? '' : mailFrom.address,
    envelopeTo: rcptTo.map(({ address }) => address),
    receivedAt,
  };
}

function cut(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) if (connection.session.id === session.id) connection.close();
}
