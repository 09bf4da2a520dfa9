import type { DkimKey, DkimSigner } from '@postloop/mail-domain/dkim';
import type { Logger } from '@postloop/service-kit';
import { BatchGate } from './batch-gate.js';
import { Connection } from './connection.js';
import { type LoopContext, PLACES_PER_CONNECTION, runPlace } from './connection-loop.js';
import { Dispatcher, type TakeOff } from './dispatcher.js';
import { Pace } from './pace.js';
import type { MailLoad } from './send-batch.js';
import { createSigning } from './signing.js';
import type { TransportSettings } from './transport-config.js';

/** One way out, with connections, dispatcher and places of its own: what happens to it does not concern another. */
export interface Transport extends AsyncDisposable {
  name: string;
  dispatcher: Dispatcher<MailLoad>;
  gate: BatchGate;
  signerOf: (mailing: { id: bigint; fromAddress: string }) => DkimSigner;
}

export interface TransportContext extends Omit<LoopContext, 'dispatcher'> {
  takeOff: TakeOff;
  dkimKeys: readonly DkimKey[];
  /** Batches that may be held at the same time. */
  batches: number;
  log: Logger;
}

/** Connects at once, and goes on trying while the server cannot be reached. Disposing it waits for the mails on the way. */
export function openTransport(settings: TransportSettings, context: TransportContext): Transport {
  const { takeOff, dkimKeys, batches, ...shared } = context;
  const { name, server, mailsPerSecond } = settings;
  const log = context.log.child({ transport: name });
  const pace = mailsPerSecond === undefined ? undefined : new Pace(mailsPerSecond);
  const dispatcher = new Dispatcher<MailLoad>(takeOff, pace);
  const loop: LoopContext = { ...shared, dispatcher };
  const connections = Array.from({ length: settings.connections }, () => new Connection(server, log));
  const places = connections.flatMap((connection) =>
    Array.from({ length: PLACES_PER_CONNECTION }, () => runPlace(connection, loop)),
  );
  const signerOf = createSigning(dkimKeys, settings.dkim, (facts) =>
    log.warn(facts, 'no DKIM key belongs to the domain of the From address: DMARC will not count the signature'),
  );
  return {
    name,
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
