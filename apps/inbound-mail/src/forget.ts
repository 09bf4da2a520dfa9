import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import { type Database, forgetInboundMessages } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;
const BATCH = 500;

/** Every hour, forgets what messages said whose time is over. */
export function startForgetting(db: Database, keepDays: number, log: Pick<Logger, 'warn'>): AsyncDisposable {
  const stop = new AbortController();
  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        while (!stop.signal.aborted && (await forgetInboundMessages(db.pool, keepDays * DAY_MS, BATCH)) === BATCH);
      } catch (error) {
        log.warn({ error: describeError(error) }, 'old messages could not be forgotten yet');
      }
      await pause(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined); // only ever aborted
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
