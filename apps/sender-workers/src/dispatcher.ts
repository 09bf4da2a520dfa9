import type { Attempt, TakenOff } from '@postloop/db';
import type { Limits } from './limits.js';
import { ReadyQueue } from './ready-queue.js';

/** A recipient on its way: from the batch that holds it to a free place on a connection. */
export interface Departure<T> {
  attempt: Attempt;
  /** Scopes of the shared limits that it counts in. */
  scopes: readonly string[];
  load: T;
  /** Told once: it goes on the wire, or why not. */
  cleared: (verdict: 'in_flight' | 'suppressed' | 'refused' | 'withdrawn') => void;
  failed: (error: unknown) => void;
}

/** Where a mail can go at once; it leaves when its connection is gone. */
interface Place<T> {
  isOpen: () => boolean;
  /** Undefined: the place left, or the dispatcher was closed. */
  take: (departure: Departure<T> | undefined) => void;
}

/** Moves recipients to `in_flight`. */
export type TakeOff = (attempts: readonly Attempt[]) => Promise<TakenOff>;

/**
 * Between batches and connections. A place on a connection asks for a mail only when it can send one at once, and all
 * places that ask while a take-off commits share the next one: what is in flight is what the connections hold, never a
 * batch, and a commit serves many mails.
 */
export class Dispatcher<T> {
  readonly #takeOff: TakeOff;
  readonly #limits: Limits | undefined;
  readonly #ready = new ReadyQueue<Departure<T>>();
  readonly #idle: ((anything: boolean) => void)[] = [];
  #places: Place<T>[] = [];
  #busy = false;
  #closed = false;

  /** @param limits bound what takes off; without them, free places alone do */
  constructor(takeOff: TakeOff, limits?: Limits) {
    this.#takeOff = takeOff;
    this.#limits = limits;
    limits?.onMore(() => void this.#pump());
  }

  add(departures: readonly Departure<T>[]): void {
    this.#ready.add(departures);
    for (const awake of this.#idle.splice(0, departures.length)) awake(true);
    void this.#pump();
  }

  /** Waits until there is something to send, for a place that has no connection. @returns false when the dispatcher was closed */
  work(): Promise<boolean> {
    if (this.#closed || this.#ready.size > 0) return Promise.resolve(!this.#closed);
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Free places that nothing may take, though something waits: limits hold it back. */
  get heldBack(): boolean {
    return !this.#busy && this.#places.length > 0 && this.#ready.size > 0;
  }

  /** Takes back what has not been asked for yet. */
  withdraw(belongs: (departure: Departure<T>) => boolean): void {
    for (const departure of this.#ready.remove(belongs)) departure.cleared('withdrawn');
  }

  /**
   * The next mail that is in flight now; undefined when the dispatcher was closed, or when `isOpen` says at a `recheck` that
   * nothing can be sent from here any more.
   */
  next(isOpen: () => boolean = () => true): Promise<Departure<T> | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((take) => {
      this.#places.push({ isOpen, take });
      void this.#pump();
    });
  }

  /** A connection is gone: its places leave, as soon as no take-off counts on them. */
  recheck(): void {
    void this.#pump();
  }

  close(): void {
    this.#closed = true;
    for (const place of this.#places.splice(0)) place.take(undefined);
    for (const awake of this.#idle.splice(0)) awake(false);
  }

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      this.#dismissClosed();
      const departing = this.#ready.take(this.#places.length, (scopes, wanted) =>
        this.#limits ? this.#limits.take(scopes, wanted) : wanted,
      );
      if (departing.length === 0) break; // a place, a mail or a permit that comes in starts it again
      try {
        this.#handOver(departing, await this.#takeOff(departing.map(({ attempt }) => attempt)));
      } catch (error) {
        for (const departure of departing) {
          this.#limits?.giveBack(departure.scopes);
          departure.failed(error);
        }
      }
    }
    this.#busy = false;
  }

  #dismissClosed(): void {
    const closed = this.#places.filter(({ isOpen }) => !isOpen());
    if (closed.length === 0) return;
    this.#places = this.#places.filter((place) => !closed.includes(place));
    for (const place of closed) place.take(undefined);
  }

  #handOver(departing: readonly Departure<T>[], cleared: TakenOff): void {
    for (const departure of departing) {
      const verdict = cleared.get(departure.attempt.recipientId) ?? 'refused';
      departure.cleared(verdict);
      if (verdict === 'in_flight') this.#places.shift()?.take(departure);
      else this.#limits?.giveBack(departure.scopes);
    }
  }

  /** A mail that took off has its answer recorded. */
  landed(departure: Departure<T>): void {
    this.#limits?.leave(departure.scopes);
  }
}
