/** Bytes that all connections together may hold in memory. */
export class ByteBudget {
  #held = 0;

  constructor(private readonly limit: number) {}

  /** @returns false, and nothing taken, when that many are not free */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
