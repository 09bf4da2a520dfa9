import { describeError } from '@postloop/contracts';
import type { Attempt, Settlement, TakenOff } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';

const RETRY_MS = 500;

/** Writes answers and take-offs in one commit; see `recordDeliveries` of packages/db. */
export type WriteDeliveries = (settlements: readonly Settlement[], attempts: readonly Attempt[]) => Promise<TakenOff>;

interface Answer {
  settlement: Settlement;
  done: () => void;
}

interface Request {
  attempts: readonly Attempt[];
  resolve: (takenOff: TakenOff) => void;
  reject: (error: unknown) => void;
}

/**
 * What the connections tell the database: what comes in while one commit runs goes with the next, answers and take-offs
 * together. An answer is kept until the database has it, however long that is away; nothing takes off before it.
 */
export class DeliveryBook {
  #answers: Answer[] = [];
  #requests: Request[] = [];
  #busy = false;

  constructor(
    private readonly write: WriteDeliveries,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** Resolves when the answer is in the database. */
  record(settlement: Settlement): Promise<void> {
    return new Promise((done) => {
      this.#answers.push({ settlement, done });
      this.#wake();
    });
  }

  /** Moves recipients to `in_flight`. Rejects when the database did not take it. */
  takeOff(attempts: readonly Attempt[]): Promise<TakenOff> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ attempts, resolve, reject });
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#busy) return;
    this.#busy = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    do {
      // Not at once: what comes in with the same reads of the sockets goes along.
      await new Promise(setImmediate);
      const answers = [...this.#answers];
      const requests = this.#requests.splice(0);
      try {
        const settlements = answers.map(({ settlement }) => settlement);
        const attempts = requests.flatMap((request) => request.attempts);
        const takenOff = await this.write(settlements, attempts);
        this.#answers.splice(0, answers.length);
        for (const { done } of answers) done();
        for (const { resolve } of requests) resolve(takenOff);
      } catch (error) {
        for (const { reject } of requests) reject(error);
        if (answers.length > 0) await this.#pauseFor(error);
      }
    } while (this.#answers.length + this.#requests.length > 0);
    this.#busy = false;
  }

  async #pauseFor(error: unknown): Promise<void> {
    const facts = { answers: this.#answers.length, error: describeError(error) };
    this.log.warn(facts, 'answers cannot be recorded; trying again');
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
