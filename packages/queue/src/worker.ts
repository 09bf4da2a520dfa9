import { describeError, type Payload, PermanentError, type QueueKey, queues, RetryLater } from '@postloop/contracts';
import { DelayedError, UnrecoverableError } from 'bullmq';
import { type JobWorkerOptions, openJobWorker, type QueueConnection, type RunningJob } from './connection.js';
import { keepOpen } from './keep-open.js';

/** Does one job. `signal` is aborted when the process is asked to stop: finish or put back, then return. */
export type Handler<K extends QueueKey> = (payload: Payload<K>, context: { signal: AbortSignal }) => Promise<void>;

export interface WorkerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Runs the queue's jobs until disposed; disposing aborts the signal and waits for the running ones. */
export function startWorker<K extends QueueKey>(
  connection: QueueConnection,
  key: K,
  handler: Handler<K>,
  { log, ...options }: JobWorkerOptions & { log: WorkerLog },
): AsyncDisposable {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const { name } = queues[key];

  const run = async (job: RunningJob, token?: string): Promise<void> => {
    try {
      const handled = handle(key, job.data, handler, stop.signal);
      running.add(handled);
      await handled.finally(() => running.delete(handled));
    } catch (error) {
      if (error instanceof RetryLater) {
        await job.moveToDelayed(Date.now() + error.delayMs, token);
        throw new DelayedError();
      }
      log[error instanceof PermanentError ? 'error' : 'warn'](
        { queue: name, job: job.id, attempt: job.attemptsMade + 1, error: describeError(error) },
        'job failed',
      );
      throw error instanceof PermanentError ? new UnrecoverableError(error.message) : error;
    }
  };

  const worker = keepOpen(() => {
    const opened = openJobWorker(connection, name, run, options);
    opened.on('error', (error) => log.warn({ queue: name, error: describeError(error) }, 'worker connection'));
    return opened;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await worker.close(running);
    },
  };
}

async function handle<K extends QueueKey>(
  key: K,
  data: unknown,
  handler: Handler<K>,
  signal: AbortSignal,
): Promise<void> {
  const { name, payload } = queues[key];
  const parsed = payload.safeParse(data);
  if (!parsed.success) throw new PermanentError(`the payload is not one of ${name}: ${parsed.error.message}`);
  await handler(parsed.data as Payload<K>, { signal });
}
