/** What has happened, in order, for a test to wait on. */
export class Arrivals<T> {
  readonly all: T[] = [];
  #taken = 0;
  #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    this.all.push(value);
    const waiting = this.#waiting.shift();
    if (waiting) waiting(this.#take());
  }

  /** The next one that was not asked for yet; waits for it. */
  next(): Promise<T> {
    if (this.#taken < this.all.length) return Promise.resolve(this.#take());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(): T {
    const value = this.all[this.#taken] as T;
    this.#taken += 1;
    return value;
  }
}

/** A promise with its ends in the open. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
