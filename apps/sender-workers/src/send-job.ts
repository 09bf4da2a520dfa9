import { RetryLater } from '@postloop/contracts';
import { type BatchKey, selectTransportOfMailing } from '@postloop/db';
import { DEFAULT_TRANSPORT } from '@postloop/service-kit';
import type { LimitBook } from './limit-book.js';
import { type SendContext, sendBatch } from './send-batch.js';
import type { Transport } from './transport.js';

/** A worker that knows the transport may come along, or this one be started anew. */
const UNKNOWN_RETRY_MS = 30_000;

export interface RouteContext extends Omit<SendContext, 'transport' | 'scopesOf'> {
  limitBook: LimitBook;
}

/**
 * Hands each batch to the transport of its client. One whose transport stays busy comes back later, and so does one whose
 * transport is not configured here: it stays queued, the log says so once, and other clients' mails go on.
 */
export function createSendJob(
  transports: readonly Transport[],
  context: RouteContext,
): (key: BatchKey, signal: AbortSignal) => Promise<void> {
  const byName = new Map(transports.map((transport) => [transport.name, transport]));
  const unknown = new Set<string>();
  return async (key, signal) => {
    const choice = await selectTransportOfMailing(context.db.pool, key.mailingId);
    if (!choice) return;
    const name = choice.name ?? DEFAULT_TRANSPORT;
    const transport = byName.get(name);
    if (!transport) {
      if (!unknown.has(name))
        context.log.error(
          { transport: name, mailingId: key.mailingId, known: [...byName.keys()] },
          'a client uses a transport that is not configured: its mails wait until SMTP_TRANSPORTS has it',
        );
      unknown.add(name);
      throw new RetryLater(UNKNOWN_RETRY_MS, `transport ${name} is not configured`);
    }
    const waitMs = await transport.gate.enter();
    if (waitMs > 0) throw new RetryLater(waitMs, `transport ${name} holds as many batches as it may`);
    try {
      await sendBatch({ ...context, transport, scopesOf: context.limitBook.of(transport, choice) }, key, signal);
    } finally {
      transport.gate.leave();
    }
  };
}
