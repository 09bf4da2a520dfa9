import { Worker } from 'node:worker_threads';
import { describeError } from '@postloop/contracts';
import { DEFAULT_INBOUND_LIMITS, type InboundLimits } from '@postloop/mail-domain/inbound';
import type { MailReading } from './read-mail.js';

export interface ParserOptions {
  /** Milliseconds for one message; then the thread is ended. */
  timeoutMs: number;
  /** Megabytes of heap; a message that takes more ends the thread. What lies outside the heap is bounded by the message's size. */
  heapMb: number;
  /** Told when a thread was ended. */
  onReplaced?: () => void;
  /** For tests: another program for the thread. */
  thread?: URL;
}

/** What became of reading a message: what it says, or why that was given up. */
export type ReadResult = { kind: 'read'; reading: MailReading } | { kind: 'gave_up'; reason: string };

const THREAD = new URL('../dist/parser-thread.js', import.meta.url);

/**
 * A thread that reads messages, one at a time, made when needed and again after a message was too much for it. A message
 * can cost its own reading, and nothing else.
 */
export class Parser implements AsyncDisposable {
  #worker: Worker | undefined;

  constructor(private readonly options: ParserOptions) {}

  /** Never rejects. Not to be called before the last call has ended. */
  async read(raw: Buffer): Promise<ReadResult> {
    const { timeoutMs, onReplaced } = this.options;
    try {
      const worker = this.#worker ?? this.#start();
      // Its own clock comes first, and tells what it got so far; ours is for what never looks at a clock.
      const limits = {
        ...DEFAULT_INBOUND_LIMITS,
        timeBudgetMs: Math.min(DEFAULT_INBOUND_LIMITS.timeBudgetMs, timeoutMs / 2),
      };
      // What lies beyond the limit is not taken along; one byte of it says that there is more.
      const part = new Uint8Array(raw.subarray(0, limits.maxBytes + 1));
      return { kind: 'read', reading: await answerOf(worker, { raw: part, limits }, timeoutMs) };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      onReplaced?.();
      return { kind: 'gave_up', reason: describeError(error) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const { heapMb, thread = THREAD } = this.options;
    const worker = new Worker(thread, {
      resourceLimits: {
        maxOldGenerationSizeMb: heapMb,
        maxYoungGenerationSizeMb: Math.ceil(heapMb / 4),
        stackSizeMb: 4,
      },
      // Nothing of our environment, where the keys are.
      env: {},
    });
    // One that dies between two messages is made again for the next.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    worker.unref();
    this.#worker = worker;
    return worker;
  }
}

function answerOf(
  worker: Worker,
  message: { raw: Uint8Array<ArrayBuffer>; limits: InboundLimits },
  timeoutMs: number,
): Promise<MailReading> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      settle();
    };
    const onMessage = (reading: MailReading) => end(() => resolve(reading));
    const onError = (error: NodeJS.ErrnoException) =>
      end(() =>
        reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? new Error('reading it took too much memory') : error),
      );
    const onExit = () => end(() => reject(new Error('the thread that read it ended')));
    const timer = setTimeout(
      () => end(() => reject(new Error(`reading it took longer than ${timeoutMs} ms`))),
      timeoutMs,
    );
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(message, [message.raw.buffer]);
  });
}
