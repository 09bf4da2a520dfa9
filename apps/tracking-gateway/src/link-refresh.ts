import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, describeError } from '@postloop/contracts';
import type { LinkTarget } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';
import { within } from './deadline.js';
import type { LinkBook } from './link-book.js';
import type { Metrics } from './metrics.js';

export interface RefreshOptions {
  book: LinkBook;
  selectStartedSince: (since: Date) => Promise<LinkTarget[]>;
  /** Age of the oldest mailings whose links are kept in memory. */
  days: number;
  clock: Clock;
  metrics: Pick<Metrics, 'databaseUp'>;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Default 2,000. */
  intervalMs?: number;
}

export interface LinkRefresh extends AsyncDisposable {
  /** Resolves after the first round, whether the database answered or not. */
  first: Promise<void>;
}

const DAY_MS = 86_400_000;
/** A mailing's start commits a little after the time that it carries, and clocks differ. */
const OVERLAP_MS = 60_000;
const TIMEOUT_MS = 5_000;

/** Loads the links of the mailings of the last days, then asks every two seconds for new ones. */
export function startLinkRefresh(options: RefreshOptions): LinkRefresh {
  const { book, days, clock, metrics, log, intervalMs = 2_000 } = options;
  const stop = new AbortController();
  let lastPollMs: number | undefined;

  async function poll(): Promise<void> {
    const nowMs = clock.now().getTime();
    const sinceMs = lastPollMs === undefined ? nowMs - days * DAY_MS : lastPollMs - OVERLAP_MS;
    const targets = await within(options.selectStartedSince(new Date(sinceMs)), TIMEOUT_MS, 'database');
    book.learn(targets, nowMs);
    book.forget(nowMs - days * DAY_MS);
    if (lastPollMs === undefined) log.info({ mailings: book.size }, 'links are known');
    lastPollMs = nowMs;
  }

  let up: boolean | undefined;
  async function round(): Promise<void> {
    const was = up;
    try {
      await poll();
      up = true;
    } catch (error) {
      up = false;
      // Once per outage: a line every two seconds tells nobody more.
      if (was !== false)
        log.warn({ error: describeError(error) }, 'database away: known links redirect, events wait in the spool');
    }
    metrics.databaseUp.set(up ? 1 : 0);
    if (up && was === false) log.info('the database is back');
  }

  const first = round();
  const loop = (async () => {
    await first;
    while (!stop.signal.aborted) {
      await pause(intervalMs, undefined, { signal: stop.signal }).catch(() => undefined); // only ever aborted
      if (!stop.signal.aborted) await round();
    }
  })();
  return {
    first,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
    },
  };
}
