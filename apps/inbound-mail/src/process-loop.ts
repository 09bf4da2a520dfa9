import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import type { Logger } from '@postloop/service-kit';

export interface ProcessLoopOptions<Message> {
  claim: () => Promise<Message[]>;
  process: (messages: readonly Message[]) => Promise<void>;
  /** Are there likely more? */
  isFull: (messages: readonly Message[]) => boolean;
  /** Least time from one batch to the next while they are not full, in milliseconds: so that statements serve many. */
  intervalMs: number;
  /** Pause between looks without a wake-up, and after a failure, in milliseconds. */
  retryMs: number;
  log: Pick<Logger, 'warn'>;
}

export interface ProcessLoop extends AsyncDisposable {
  /** A message was stored. */
  wake(): void;
}

/**
 * Takes batches of messages up one after the other for as long as it runs: at its start those that an earlier life left, then
 * when woken, and from time to time for what nobody told it of.
 */
export function startProcessLoop<Message>(options: ProcessLoopOptions<Message>): ProcessLoop {
  const stop = new AbortController();
  const events = new EventEmitter();
  let woken = false;
  const rest = async () => {
    if (woken) return;
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(options.retryMs)]);
    await once(events, 'wake', { signal }).catch(() => undefined); // stopped, or the time is over
  };
  const waitFor = (ms: number) => pause(ms, undefined, { signal: stop.signal }).catch(() => undefined); // only ever aborted
  const run = async () => {
    while (!stop.signal.aborted) {
      woken = false;
      const begin = performance.now();
      try {
        const messages = await options.claim();
        if (messages.length === 0) await rest();
        else {
          await options.process(messages);
          if (!options.isFull(messages)) await waitFor(options.intervalMs - (performance.now() - begin));
        }
      } catch (error) {
        options.log.warn({ error: describeError(error) }, 'messages could not be looked at yet');
        await waitFor(options.retryMs);
      }
    }
  };
  const done = run();
  return {
    wake() {
      woken = true;
      events.emit('wake');
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}
