/** `hits` of `all` as a share of 1 with four decimals; 0 of nothing. */
export function share(hits: number, all: number): number {
  return all === 0 ? 0 : Math.round((hits / all) * 10_000) / 10_000;
}

/** Counts how often each key was seen. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Most frequent first. */
  entries(): [string, number][] {
    return [...this.#counts].sort(([, one], [, other]) => other - one);
  }
}
