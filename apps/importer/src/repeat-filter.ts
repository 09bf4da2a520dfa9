import { LineList } from '@postloop/db';

/** Lines of a processor's cache, 64 bytes each: 16 MB whatever the file's size. Of twenty files of a million rows one has a line found for nothing. */
const BLOCKS = 2 ** 18;
const BLOCK_WORDS = 16;

/**
 * Finds rows whose address may have stood before in the file: all that do, and few others (a Bloom filter over the address
 * as ASCII letters of one case). PostgreSQL compares what is left, commonly nothing, where it would have to group all rows.
 */
export class RepeatFilter {
  readonly #words = new Int32Array(BLOCKS * BLOCK_WORDS);
  readonly #found = new LineList();

  /** Undefined when there are too many to name. */
  get lines(): readonly number[] | undefined {
    return this.#found.lines;
  }

  /** Takes the address, trimmed, of a row. */
  add(bytes: Buffer, start: number, end: number, line: number): void {
    let first = 0x811c9dc5;
    let second = 0;
    for (let at = start; at < end; at += 1) {
      // Upper and lower case alike, and few other characters.
      const letter = (bytes[at] ?? 0) | 0x20;
      first = Math.imul(first ^ letter, 0x01000193);
      second = (Math.imul(second, 31) + letter) | 0;
    }
    if (this.#mark(mixed(first), mixed(second))) this.#found.add(line);
  }

  /** Five bits of one block: one miss of the cache. @returns whether all were set */
  #mark(first: number, second: number): boolean {
    const block = (first >>> 14) * BLOCK_WORDS;
    // What is left of both when the block and three bits are taken.
    const rest = ((first >>> 9) & 0x1f) | ((second >>> 27) << 5);
    let known = true;
    for (let probe = 0; probe < 5; probe += 1) {
      const bit = probe < 3 ? second >>> (probe * 9) : probe === 3 ? first : rest;
      const word = block + ((bit >>> 5) & (BLOCK_WORDS - 1));
      const found = this.#words[word] ?? 0;
      const marked = found | (1 << (bit & 31));
      if (marked !== found) known = false;
      this.#words[word] = marked;
    }
    return known;
  }
}

/** Spreads every bit over all (the end of MurmurHash3). */
function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
