import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import type { IncomingMessage } from '@postloop/db';
import { killPoint, type Logger } from '@postloop/service-kit';
import type { MailboxSession } from './imap-mailbox.js';
import type { Metrics } from './metrics.js';

export interface ImapPollOptions {
  open: () => Promise<MailboxSession>;
  maxBytes: number;
  /** Where messages go that are stored; undefined: they stay, marked as seen. */
  doneFolder: string | undefined;
  /** Resolves when the message is durable. */
  store: (message: IncomingMessage) => Promise<'stored' | 'known'>;
  intervalMs: number;
  now: () => Date;
  metrics: Metrics;
  log: Pick<Logger, 'info' | 'warn'>;
}

/** Looks at the mailbox at once and then again and again; a look that fails is made up for by the next. */
export function startImapPoll(options: ImapPollOptions): AsyncDisposable {
  const stop = new AbortController();
  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        const taken = await emptyMailbox(options, stop.signal);
        if (taken > 0) options.log.info({ taken }, 'messages taken over from the mailbox');
      } catch (error) {
        options.metrics.messages.inc({ source: 'imap', outcome: 'failed' });
        options.log.warn({ error: describeError(error) }, 'the mailbox could not be emptied; trying again');
      }
      await pause(options.intervalMs, undefined, { signal: stop.signal }).catch(() => undefined); // only ever aborted
    }
  };
  const done = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

/**
 * Takes over every message that is not seen, one after the other: stored with us first, marked or moved then. After a
 * crash in between it is taken over again, and known by its hash. @returns how many
 */
export async function emptyMailbox(options: ImapPollOptions, signal: AbortSignal): Promise<number> {
  const { maxBytes, doneFolder, metrics, now } = options;
  await using session = await options.open();
  let taken = 0;
  for (const uid of await session.unseen()) {
    if (signal.aborted) return taken;
    const message = await session.fetch(uid, maxBytes);
    if (!message) continue;
    const receivedAt = earlier(message.receivedAt, now());
    const incoming: IncomingMessage = {
      source: 'imap',
      raw: message.raw,
      envelopeFrom: '',
      envelopeTo: [],
      receivedAt,
    };
    metrics.messages.inc({ source: 'imap', outcome: await options.store(incoming) });
    killPoint('inbound.after-store');
    await session.done(uid, doneFolder);
    taken += 1;
  }
  return taken;
}

/** A mailbox may claim any time; none lies in the future. */
function earlier(claimed: Date | undefined, now: Date): Date {
  return claimed !== undefined && claimed.getTime() < now.getTime() ? claimed : now;
}
