import type { DkimKey, DkimSigner } from '@postloop/mail-domain/dkim';
import type { Logger, TransportSettings } from '@postloop/service-kit';
import { BatchGate } from './batch-gate.js';
import { Connection, type ConnectionPlaces } from './connection.js';
import { type LoopContext, PLACES_PER_CONNECTION, runPlace } from './connection-loop.js';
import { Dispatcher } from './dispatcher.js';
import type { Limits } from './limits.js';
import { smtpServer } from './open-session.js';
import type { MailLoad } from './send-batch.js';
import { createSigning } from './signing.js';

/** One way out, with connections, dispatcher and places of its own: what happens to it does not concern another. */
export interface Transport extends AsyncDisposable {
  name: string;
  mailsPerSecond: number | undefined;
  dispatcher: Dispatcher<MailLoad>;
  gate: BatchGate;
  signerOf: (mailing: { id: bigint; fromAddress: string }) => DkimSigner;
}

export interface TransportContext extends Omit<LoopContext, 'dispatcher'> {
  limits: Limits;
  dkimKeys: readonly DkimKey[];
  /** Batches that may be held at the same time. */
  batches: number;
  log: Logger;
}

/** Connects at once, and goes on trying while the server cannot be reached. Disposing it waits for the mails on the way. */
export function openTransport(settings: TransportSettings, context: TransportContext): Transport {
  const { limits, dkimKeys, batches, ...shared } = context;
  const { name, mailsPerSecond } = settings;
  const server = smtpServer(settings.server, settings.client);
  const log = context.log.child({ transport: name });
  const dispatcher = new Dispatcher<MailLoad>((attempts) => context.book.takeOff(attempts), limits);
  const loop: LoopContext = { ...shared, dispatcher };
  const bound = connectionPlaces(settings, limits);
  const connections = Array.from(
    { length: settings.connections },
    () => new Connection(server, log, () => dispatcher.recheck(), bound),
  );
  const places = connections.flatMap((connection) =>
    Array.from({ length: PLACES_PER_CONNECTION }, () => runPlace(connection, loop)),
  );
  const signerOf = createSigning(dkimKeys, settings.dkim, (facts) =>
    log.warn(facts, 'no DKIM key belongs to the domain of the From address: DMARC will not count the signature'),
  );
  return {
    name,
    mailsPerSecond,
    dispatcher,
    gate: new BatchGate(batches),
    signerOf,
    async [Symbol.asyncDispose]() {
      dispatcher.close();
      await Promise.all(connections.map((connection) => connection.close()));
      await Promise.all(places);
    },
  };
}

function connectionPlaces({ name, maxConnections }: TransportSettings, limits: Limits): ConnectionPlaces | undefined {
  if (maxConnections === undefined) return undefined;
  const scopes = [`connections:${name}`];
  limits.set({ scope: `connections:${name}`, mailsPerSecond: null, places: maxConnections });
  return {
    acquire: (signal) => limits.acquire(scopes, signal),
    leave: () => limits.leave(scopes),
    isOver: () => limits.isOver(scopes),
  };
}
