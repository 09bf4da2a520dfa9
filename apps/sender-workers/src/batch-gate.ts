/** So long a batch waits here for a place, and at least so long one that was sent away, in milliseconds. */
const WAIT_MS = 500;
/** Those that were sent away come back one after the other, so that many of them cost no more than a few. */
const SPACING_MS = 25;

/**
 * The places for batches of one transport. One more waits here, so that a place that becomes free is taken at once. All
 * transports share one queue: the others that find no place are put back at once, so that a transport that is down does not
 * hold up the batches of others.
 */
export class BatchGate {
  #running = 0;
  #nextAt = 0;
  /** Hands a place that became free to the batch that waits. */
  #handOn: (() => void) | undefined;

  constructor(
    private readonly places: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Takes a place. @returns 0, or the milliseconds after which to ask again */
  async enter(): Promise<number> {
    if (this.#running < this.places) {
      this.#running += 1;
      return 0;
    }
    if (!this.#handOn && (await this.#placeInTime())) return 0;
    const now = this.now();
    const at = Math.max(now + WAIT_MS, this.#nextAt);
    this.#nextAt = at + SPACING_MS;
    return at - now;
  }

  leave(): void {
    if (this.#handOn) this.#handOn();
    else this.#running -= 1;
  }

  /** A batch waits, or was sent away lately: it comes back and asks again. */
  get othersWait(): boolean {
    return this.#handOn !== undefined || this.#nextAt > this.now();
  }

  #placeInTime(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasPlace: boolean) => {
        clearTimeout(timer);
        this.#handOn = undefined;
        resolve(hasPlace);
      };
      const timer = setTimeout(() => end(false), WAIT_MS);
      this.#handOn = () => end(true);
    });
  }
}
