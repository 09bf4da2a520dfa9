/** A thing that limits apply to, by their scopes. */
export interface Limited {
  /** Scopes of the limits that it counts in; one array for all that count in the same. */
  scopes: readonly string[];
}

/**
 * What waits to be sent, in order of arrival among those that the same limits apply to. Those with different limits take
 * turns, so that what waits for a permit holds up nothing else.
 */
export class ReadyQueue<T extends Limited> {
  readonly #lanes = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(items: readonly T[]): void {
    for (const item of items) {
      const key = item.scopes.join('\n');
      const lane = this.#lanes.get(key);
      if (lane) lane.push(item);
      else this.#lanes.set(key, [item]);
    }
    this.#size += items.length;
  }

  /**
   * Takes at most `most`, in turns from each lane.
   * @param grant how many of `wanted` that count in these scopes may go now
   */
  take(most: number, grant: (scopes: readonly string[], wanted: number) => number): T[] {
    const taken: T[] = [];
    const open = new Map(this.#lanes);
    while (taken.length < most && open.size > 0) {
      const share = Math.max(1, Math.floor((most - taken.length) / open.size));
      for (const [key, lane] of open) {
        const wanted = Math.min(share, lane.length, most - taken.length);
        if (wanted === 0) break;
        const granted = grant(lane[0]?.scopes ?? [], wanted);
        taken.push(...lane.splice(0, granted));
        if (lane.length === 0) this.#lanes.delete(key);
        if (lane.length === 0 || granted < wanted) open.delete(key);
      }
    }
    this.#size -= taken.length;
    return taken;
  }

  /** Takes out what matches. */
  remove(matches: (item: T) => boolean): T[] {
    const removed: T[] = [];
    for (const [key, lane] of this.#lanes) {
      const kept = lane.filter((item) => !matches(item));
      if (kept.length === lane.length) continue;
      removed.push(...lane.filter(matches));
      if (kept.length > 0) this.#lanes.set(key, kept);
      else this.#lanes.delete(key);
    }
    this.#size -= removed.length;
    return removed;
  }

  some(matches: (item: T) => boolean): boolean {
    return [...this.#lanes.values()].some((lane) => lane.some(matches));
  }
}
