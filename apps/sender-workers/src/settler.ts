import { describeError } from '@postloop/contracts';
import type { Settlement } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';

const MAX_BATCH = 1_000;
const RETRY_MS = 500;

/**
 * Records answers in bulk: what comes in while one statement runs goes with the next. An answer is kept until the database
 * has it, however long that is away; the batch it belongs to waits for it.
 */
export class Settler {
  #pending: { settlement: Settlement; done: () => void }[] = [];
  #busy = false;

  constructor(
    private readonly settle: (settlements: readonly Settlement[]) => Promise<void>,
    private readonly log: Logger,
  ) {}

  /** Resolves when the answer is in the database. */
  record(settlement: Settlement): Promise<void> {
    return new Promise((done) => {
      this.#pending.push({ settlement, done });
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, MAX_BATCH);
      try {
        await this.settle(batch.map(({ settlement }) => settlement));
        this.#pending = this.#pending.slice(batch.length);
        for (const { done } of batch) done();
      } catch (error) {
        this.log.warn(
          { answers: this.#pending.length, error: describeError(error) },
          'answers cannot be recorded; trying again',
        );
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.#busy = false;
  }
}
