import type { Attempt } from '@postloop/db';
import type { Pace } from './pace.js';

/** A recipient on its way: from the batch that holds it to a free place on a connection. */
export interface Departure<T> {
  attempt: Attempt;
  load: T;
  /** Told once: it goes on the wire, or why not. */
  cleared: (verdict: 'in_flight' | 'suppressed' | 'refused' | 'withdrawn') => void;
  failed: (error: unknown) => void;
}

/** Moves recipients to `in_flight`; see `takeOff` of packages/db. */
export type TakeOff = (attempts: readonly Attempt[]) => Promise<ReadonlyMap<bigint, 'in_flight' | 'suppressed'>>;

/**
 * Between batches and connections. A place on a connection asks for a mail only when it can send one at once, and all
 * places that ask while a take-off commits share the next one: what is in flight is what the connections hold, never a
 * batch, and a commit serves many mails.
 */
export class Dispatcher<T> {
  readonly #takeOff: TakeOff;
  readonly #pace: Pace | undefined;
  #ready: Departure<T>[] = [];
  readonly #places: ((departure: Departure<T> | undefined) => void)[] = [];
  #busy = false;
  #closed = false;

  /** @param pace limits what takes off; without it, free places alone do */
  constructor(takeOff: TakeOff, pace?: Pace) {
    this.#takeOff = takeOff;
    this.#pace = pace;
  }

  add(departures: readonly Departure<T>[]): void {
    this.#ready.push(...departures);
    void this.#pump();
  }

  /** Takes back what has not been asked for yet. */
  withdraw(belongs: (departure: Departure<T>) => boolean): void {
    const withdrawn = this.#ready.filter(belongs);
    this.#ready = this.#ready.filter((departure) => !belongs(departure));
    for (const departure of withdrawn) departure.cleared('withdrawn');
  }

  /** The next mail that is in flight now; undefined when the dispatcher was closed. */
  next(): Promise<Departure<T> | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#places.push(resolve);
      void this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    for (const place of this.#places.splice(0)) place(undefined);
  }

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#places.length > 0 && this.#ready.length > 0) {
      const permits = this.#pace?.take(Math.min(this.#places.length, this.#ready.length)) ?? this.#places.length;
      if (permits === 0) {
        await pause(this.#pace?.waitMs() ?? 0);
        continue;
      }
      const departing = this.#ready.splice(0, permits);
      try {
        this.#handOver(departing, await this.#takeOff(departing.map(({ attempt }) => attempt)));
      } catch (error) {
        this.#pace?.giveBack(departing.length);
        for (const departure of departing) departure.failed(error);
      }
    }
    this.#busy = false;
  }

  #handOver(departing: readonly Departure<T>[], cleared: ReadonlyMap<bigint, 'in_flight' | 'suppressed'>): void {
    for (const departure of departing) {
      const verdict = cleared.get(departure.attempt.recipientId) ?? 'refused';
      departure.cleared(verdict);
      if (verdict === 'in_flight') this.#places.shift()?.(departure);
      else this.#pace?.giveBack(1);
    }
  }
}

/** Mails that wait for their permit do not keep a process alive that is asked to stop. */
const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref());
