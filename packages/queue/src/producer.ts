import { describeError, type Payload, type QueueKey, queues, type RetryRule } from '@postloop/contracts';
import { type JobQueue, openJobQueue, type QueueConnection } from './connection.js';
import { closeOrCut, within } from './patience.js';

export interface Producer extends AsyncDisposable {
  /**
   * Wakes the queue's workers. Never throws: what has to be done stands in PostgreSQL, and the reconciler
   * enqueues again what could not be said here. Tells whether it was said.
   */
  enqueue<K extends QueueKey>(key: K, payload: Payload<K>, options?: { delayMs?: number }): Promise<boolean>;
  enqueueAll<K extends QueueKey>(key: K, payloads: readonly Payload<K>[]): Promise<boolean>;
  /** Jobs that wait, run or are delayed, per queue. Throws when the backend does not answer. */
  depths(): Promise<Record<QueueKey, { waiting: number; active: number; delayed: number }>>;
}

export interface ProducerLog {
  warn(fields: object, message: string): void;
}

export interface ProducerOptions {
  /** In place of the queues' own retry rules, for tests. */
  retry?: RetryRule;
  /** How long the backend has to answer, in milliseconds, before a call counts as failed. Default 5,000. */
  timeoutMs?: number;
}

const CHUNK = 1_000;

export function createProducer(
  connection: QueueConnection,
  log: ProducerLog,
  { retry, timeoutMs = 5_000 }: ProducerOptions = {},
): Producer {
  const open = new Map<QueueKey, JobQueue>();
  const queueOf = (key: QueueKey): JobQueue => {
    const known = open.get(key);
    if (known) return known;
    const queue = openJobQueue(connection, queues[key].name);
    queue.on('error', (error) =>
      log.warn({ queue: queues[key].name, error: describeError(error) }, 'queue connection'),
    );
    open.set(key, queue);
    // On PostgreSQL BullMQ 6.7 remembers a first try that failed and makes no other: the next call opens it anew.
    queue.waitUntilReady().catch(async () => {
      if (open.get(key) !== queue) return;
      open.delete(key);
      await closeOrCut(queue);
    });
    return queue;
  };
  const answered = <T>(call: Promise<T>) => within(timeoutMs, 'the queue does not answer', call);

  async function enqueueAll<K extends QueueKey>(
    key: K,
    payloads: readonly Payload<K>[],
    delayMs = 0,
  ): Promise<boolean> {
    try {
      for (let from = 0; from < payloads.length; from += CHUNK) {
        const jobs = payloads.slice(from, from + CHUNK).map((payload) => toJob(key, payload, delayMs, retry));
        await answered(queueOf(key).addBulk(jobs));
      }
      return true;
    } catch (error) {
      log.warn({ queue: queues[key].name, error: describeError(error) }, 'could not enqueue; the reconciler will');
      return false;
    }
  }

  return {
    enqueue: (key, payload, { delayMs = 0 } = {}) => enqueueAll(key, [payload], delayMs),
    enqueueAll,
    async depths() {
      const counted = await Promise.all(
        (Object.keys(queues) as QueueKey[]).map(async (key) => {
          const counts = await answered(queueOf(key).getJobCounts('waiting', 'active', 'delayed'));
          const { waiting = 0, active = 0, delayed = 0 } = counts;
          return [key, { waiting, active, delayed }] as const;
        }),
      );
      return Object.fromEntries(counted) as Awaited<ReturnType<Producer['depths']>>;
    },
    async [Symbol.asyncDispose]() {
      const opened = [...open.values()];
      open.clear();
      await Promise.all(opened.map((queue) => closeOrCut(queue)));
    },
  };
}

function toJob<K extends QueueKey>(key: K, payload: Payload<K>, delayMs: number, rule?: RetryRule) {
  const { name, jobId, whileActive, payload: schema } = queues[key];
  const retry = rule ?? queues[key].retry;
  const id = jobId(payload as never);
  return {
    name,
    data: schema.encode(payload as never) as Record<string, unknown>,
    opts: {
      ...(whileActive === 'once' ? { jobId: id } : { deduplication: { id, keepLastIfActive: true } }),
      attempts: retry.attempts,
      backoff: { type: 'exponential', delay: retry.delayMs },
      delay: delayMs,
      // A finished job leaves nothing behind: its ID must be free for the next time.
      removeOnComplete: true,
      removeOnFail: true,
    },
  };
}
