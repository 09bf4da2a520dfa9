import { networkOf } from './network-of.js';

const MAX_KNOWN = 20_000;

/**
 * A bucket of tokens per remote address that fills evenly. It knows the addresses of late only, so that many of them
 * cannot make it grow.
 */
export class RateLimit {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param now milliseconds on a clock that does not jump */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes one token. @returns false when there is none */
  take(remoteAddress: string): boolean {
    const key = networkOf(remoteAddress);
    const now = this.now();
    const known = this.#buckets.get(key) ?? { tokens: this.perMinute, at: now };
    const tokens = Math.min(this.perMinute, known.tokens + ((now - known.at) * this.perMinute) / 60_000);
    // Put at the end: the first in the map is the one that was silent for longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now });
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > MAX_KNOWN && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1;
  }
}
