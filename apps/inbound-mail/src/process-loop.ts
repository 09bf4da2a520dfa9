import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import type { ClaimedMessage } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';

export interface ProcessLoopOptions {
  claim: () => Promise<ClaimedMessage | undefined>;
  process: (message: ClaimedMessage) => Promise<void>;
  /** Pause between looks without a wake-up, and after a failure, in milliseconds. */
  retryMs: number;
  log: Pick<Logger, 'warn'>;
}

export interface ProcessLoop extends AsyncDisposable {
  /** A message was stored. */
  wake(): void;
}

/**
 * Takes messages up one after the other for as long as it runs: at its start those that an earlier life left, then when
 * woken, and from time to time for what nobody told it of.
 */
export function startProcessLoop(options: ProcessLoopOptions): ProcessLoop {
  const stop = new AbortController();
  const events = new EventEmitter();
  let woken = false;
  const rest = async () => {
    if (woken) return;
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(options.retryMs)]);
    await once(events, 'wake', { signal }).catch(() => undefined); // stopped, or the time is over
  };
  const run = async () => {
    while (!stop.signal.aborted) {
      woken = false;
      try {
        const message = await options.claim();
        if (message) await options.process(message);
        else await rest();
      } catch (error) {
        options.log.warn({ error: describeError(error) }, 'a message could not be recorded yet');
        await pause(options.retryMs, undefined, { signal: stop.signal }).catch(() => undefined); // only ever aborted
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
