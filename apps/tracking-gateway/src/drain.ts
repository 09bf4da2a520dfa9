import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import type { RecordedEvent } from '@postloop/db';
import { type Logger, linkTraces, withSpan } from '@postloop/service-kit';
import { within } from './deadline.js';
import { describeEvent } from './describe-event.js';
import type { Metrics } from './metrics.js';
import { type Insert, recordBatch } from './record-batch.js';
import type { Reject } from './rejected-file.js';
import type { Spool } from './spool.js';
import { decodeEvent } from './spooled-event.js';

export interface DrainOptions {
  spool: Pick<Spool, 'peek' | 'commit' | 'waitForRecords'>;
  insert: Insert<RecordedEvent>;
  /** The traces that mailings belong to, asked for while tracing is on. */
  tracesOf?: (mailingIds: readonly bigint[]) => Promise<string[]>;
  reject: Reject;
  /** Told when the oldest event of the batch under way happened, and undefined once it is recorded. */
  onOldest?: (occurredAt: Date | undefined) => void;
  metrics: Metrics;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Default 1,000. */
  batchSize?: number;
  /** Least time from one batch to the next while batches are not full, in milliseconds. Default 200. */
  intervalMs?: number;
  /** Time that the database has for a batch, in milliseconds. Default 30,000. */
  timeoutMs?: number;
}

export interface Drain extends AsyncDisposable {
  /** Ends the loop, then records what is left until the spool is empty, the database fails, or the time is over. */
  finish(timeoutMs: number): Promise<void>;
}

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 5_000;

/** Carries the spool into the database, for as long as it runs. While the database is away the spool grows. */
export function startDrain(options: DrainOptions): Drain {
  const stop = new AbortController();
  const done = drainForever(options, stop.signal);
  const end = async () => {
    stop.abort();
    await done;
  };
  return {
    async finish(timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      const remaining = () => Math.max(0, deadline - Date.now());
      try {
        await within(end(), remaining(), 'the running batch');
        while (remaining() > 0 && (await drainBatch(options, remaining())) > 0);
      } catch (error) {
        options.log.warn({ error: describeError(error) }, 'events wait in the spool for the next start');
      }
    },
    [Symbol.asyncDispose]: end,
  };
}

async function drainForever(options: DrainOptions, signal: AbortSignal): Promise<void> {
  const { spool, metrics, log, batchSize = 1_000, intervalMs = 200, timeoutMs = 30_000 } = options;
  let backoffMs = 0;
  while (!signal.aborted) {
    await spool.waitForRecords(signal);
    if (signal.aborted) return;
    const begin = performance.now();
    let size = 0;
    try {
      size = await drainBatch(options, timeoutMs);
      if (backoffMs > 0) log.info('events are recorded again');
      backoffMs = 0;
    } catch (error) {
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2 || FIRST_BACKOFF_MS);
      metrics.drainFailures.inc();
      log.warn({ error: describeError(error), retryMs: backoffMs }, 'events could not be recorded yet');
    }
    const rest = size === batchSize ? 0 : intervalMs - (performance.now() - begin);
    await pause(Math.max(0, backoffMs || rest), undefined, { signal }).catch(() => undefined); // only ever aborted
  }
}

interface Item {
  payload: Buffer;
  event: RecordedEvent;
}

/** @returns how many records were taken off the spool */
async function drainBatch(options: DrainOptions, timeoutMs: number): Promise<number> {
  const { spool, metrics, log, onOldest, batchSize = 1_000 } = options;
  const reject: Reject = async (payload, reason) => {
    await options.reject(payload, reason);
    metrics.eventsRejected.inc();
    log.error({ reason, record: payload.toString() }, 'an event was refused: it is kept in rejected.jsonl');
  };
  const payloads = await spool.peek(batchSize);
  const items: Item[] = [];
  for (const payload of payloads) {
    try {
      items.push({ payload, event: describeEvent(decodeEvent(payload)) });
    } catch (error) {
      await reject(payload, describeError(error));
    }
  }
  onOldest?.(items[0]?.event.occurredAt);
  if (items.length > 0) await recordItems(options, items, reject, timeoutMs);
  await spool.commit();
  onOldest?.(undefined);
  return payloads.length;
}

/** No queue brings the events here, so the batch's trace is its own, linked to those of the files that the mails came from. */
function recordItems(
  { insert, metrics, tracesOf = async () => [] }: DrainOptions,
  items: readonly Item[],
  reject: Reject,
  timeoutMs: number,
): Promise<void> {
  const insertItems: Insert<Item> = async (some) => {
    await within(insert(some.map(({ event }) => event)), timeoutMs, 'database');
    for (const { event } of some) metrics.eventsRecorded.inc({ kind: event.kind });
  };
  return withSpan('event.record', { newTrace: true, attributes: { 'postloop.events': items.length } }, async () => {
    await recordBatch(items, insertItems, ({ payload }, reason) => reject(payload, reason));
    await linkTraces(() => within(tracesOf(items.map(({ event }) => event.mailingId)), timeoutMs, 'database'));
  });
}
