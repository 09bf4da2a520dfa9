import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import type { Logger } from '@postloop/service-kit';

export interface LoopOptions {
  name: string;
  /** Pause between the end of one round and the start of the next, in milliseconds. */
  everyMs: number;
  job: () => Promise<unknown>;
  log: Pick<Logger, 'warn'>;
}

/**
 * Runs `job` now and then again and again, never twice at a time. A round that fails is logged and the next one comes
 * as usual: PostgreSQL or the queue may be away for a while. Disposing waits for the round that runs.
 */
export function startLoop({ name, everyMs, job, log }: LoopOptions): AsyncDisposable {
  const stop = new AbortController();
  const done = (async () => {
    while (!stop.signal.aborted) {
      try {
        await job();
      } catch (error) {
        log.warn({ loop: name, error: describeError(error) }, 'round failed');
      }
      await pause(everyMs, undefined, { signal: stop.signal }).catch(() => undefined); // only ever aborted
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}
