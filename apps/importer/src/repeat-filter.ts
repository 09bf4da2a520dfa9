/** Lines of a processor's cache, 64 bytes each: 16 MB whatever the file's size. A million rows leave about one found for nothing. */
const BLOCKS = 2 ** 18;
const BLOCK_WORDS = 16;
/** More are not remembered: then any line may be a repeat. */
const MOST_LINES = 100_000;

const SEMICOLON = 0x3b;
const QUOTE = 0x22;

/**
 * Finds rows whose address may have stood before in the file: all that do, and few others (a Bloom filter over the address
 * as ASCII letters of one case; what else stands in the field cannot tell two valid addresses apart). PostgreSQL compares what
 * is left, commonly nothing, where it would have to group all rows.
 */
export class RepeatFilter {
  readonly #words = new Int32Array(BLOCKS * BLOCK_WORDS);
  readonly #column: number;
  #lines: number[] | undefined = [];

  /** @param column of the address, from 0 */
  constructor(column: number) {
    this.#column = column;
  }

  /** Lines of such rows; undefined when there are too many to name. */
  get lines(): readonly number[] | undefined {
    return this.#lines;
  }

  /** Takes a row as RecordScanner finds it. */
  add(bytes: Buffer, start: number, end: number, line: number): void {
    if (this.#lines === undefined || !this.#meet(bytes, startOfField(bytes, start, end, this.#column), end)) return;
    this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines = undefined;
  }

  /** @returns whether the address was there, or seems so; it is from now on */
  #meet(bytes: Buffer, start: number, end: number): boolean {
    let first = 0x811c9dc5;
    let second = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] ?? SEMICOLON;
      // No valid address holds one, quoted or not.
      if (byte === SEMICOLON) break;
      if (byte <= 0x20 || byte >= 0x7f || byte === QUOTE) continue;
      const letter = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
      first = Math.imul(first ^ letter, 0x01000193);
      second = (Math.imul(second, 31) + letter) | 0;
    }
    return this.#mark(mixed(first), mixed(second));
  }

  /** Four bits of one block: one miss of the cache. @returns whether all were set */
  #mark(first: number, second: number): boolean {
    const block = (first >>> 14) * BLOCK_WORDS;
    let known = true;
    for (let shift = 0; shift <= 27; shift += 9) {
      const bit = shift === 27 ? first : second >>> shift;
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

function startOfField(bytes: Buffer, start: number, end: number, column: number): number {
  let quoted = false;
  let at = start;
  for (let left = column; left > 0 && at < end; at += 1) {
    if (bytes[at] === QUOTE) quoted = !quoted;
    else if (bytes[at] === SEMICOLON && !quoted) left -= 1;
  }
  return at;
}
