/** Unused permits of this long are kept, so that a rate is reached though timers are coarse. */
const BURST_SECONDS = 0.1;

/** So many mails a second, of this process alone. A bucket of tokens; pure but for its clock. */
export class Pace {
  readonly #capacity: number;
  #tokens: number;
  #at: number;

  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#capacity = Math.max(1, perSecond * BURST_SECONDS);
    this.#tokens = this.#capacity;
    this.#at = now();
  }

  /** @returns how many of `wanted` may go now */
  take(wanted: number): number {
    this.#refill();
    const granted = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= granted;
    return granted;
  }

  /** Permits that were not used. */
  giveBack(count: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + count);
  }

  /** Milliseconds until the next permit. */
  waitMs(): number {
    this.#refill();
    return Math.max(1, Math.ceil(((1 - this.#tokens) / this.perSecond) * 1000));
  }

  #refill(): void {
    const now = this.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + ((now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
  }
}
