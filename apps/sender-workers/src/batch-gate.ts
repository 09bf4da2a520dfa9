/** At least so long a batch waits that found no place, in milliseconds. */
const WAIT_MS = 500;
/** Those that found none come back one after the other, so that many of them cost no more than a few. */
const SPACING_MS = 25;

/**
 * The places for batches of one transport. All transports share one queue: a batch that finds no place is put back at once
 * instead of waiting here, so that a transport that is down does not hold up the batches of others.
 */
export class BatchGate {
  #running = 0;
  #nextAt = 0;

  constructor(
    private readonly places: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Takes a place. @returns 0, or the milliseconds after which to ask again */
  enter(): number {
    if (this.#running < this.places) {
      this.#running += 1;
      return 0;
    }
    const now = this.now();
    const at = Math.max(now + WAIT_MS, this.#nextAt);
    this.#nextAt = at + SPACING_MS;
    return at - now;
  }

  leave(): void {
    this.#running -= 1;
  }

  /** Batches were sent away lately: they come back and ask again. */
  get othersWait(): boolean {
    return this.#nextAt > this.now();
  }
}
