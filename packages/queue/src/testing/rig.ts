import type { Payload, QueueKey } from '@postloop/contracts';
import type { QueueConnection } from '../connection.js';
import { createProducer, type Producer, type ProducerOptions } from '../producer.js';
import { type Handler, startWorker } from '../worker.js';
import { Arrivals } from './arrivals.js';

/** Short, so that a job of a dead worker does not keep a test waiting. */
export const LOCK_MS = 500;

/** A log that a test can wait on. */
export function recordingLog() {
  const lines = new Arrivals<string>();
  const write = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, info: write, warn: write, error: write };
}

/** One producer and workers on one connection; everything closed on disposal, workers first. */
export class Rig implements AsyncDisposable {
  readonly producer: Producer;
  readonly log = recordingLog();
  readonly #workers: AsyncDisposable[] = [];

  constructor(
    readonly connection: QueueConnection,
    options: ProducerOptions = {},
  ) {
    this.producer = createProducer(connection, this.log, options);
  }

  /** @returns what reached the handler, in order. Jobs run one at a time. */
  work<K extends QueueKey>(key: K, handler: Handler<K> = async () => {}): Arrivals<Payload<K>> {
    const arrivals = new Arrivals<Payload<K>>();
    const options = { concurrency: 1, lockMs: LOCK_MS, log: this.log };
    const run: Handler<K> = async (payload, context) => {
      arrivals.push(payload);
      await handler(payload, context);
    };
    this.#workers.push(startWorker(this.connection, key, run, options));
    return arrivals;
  }

  /** Resolves when nothing of the queue waits, runs or is delayed. */
  async idle(key: QueueKey): Promise<void> {
    for (;;) {
      const { waiting, active, delayed } = (await this.producer.depths())[key];
      if (waiting + active + delayed === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()));
    await this.producer[Symbol.asyncDispose]();
  }
}
