/** A message's kind and length (PostgreSQL documentation, Message Formats). */
const HEAD_BYTES = 5;
const LENGTH_BYTES = 4;
const COPY_DATA = 0x64;
/** What may come before and between rows: CopyOutResponse, NotificationResponse, NoticeResponse, ParameterStatus. */
const PASSED_OVER: ReadonlySet<number> = new Set([0x48, 0x41, 0x4e, 0x53]);

/** The rows of a `COPY … TO STDOUT`, each a message of its own, without their heads. Pure. */
export class RowMessages {
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** Bytes of the message under way that are still to come. */
  #left = 0;
  #isRow = false;

  /**
   * @returns the rows in `chunk`, moved together in its own memory, and what comes from the first message on that is no part of
   *   the rows; undefined while there is none
   */
  take(chunk: Buffer): { rows: Buffer; rest: Buffer | undefined } {
    let written = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        at = this.#readHead(chunk, at);
        if (this.#headBytes < HEAD_BYTES) break;
        const kind = this.#head[0] ?? 0;
        this.#isRow = kind === COPY_DATA;
        if (!this.#isRow && !PASSED_OVER.has(kind))
          return { rows: chunk.subarray(0, written), rest: Buffer.concat([this.#head, chunk.subarray(at)]) };
        this.#left = this.#head.readUInt32BE(1) - LENGTH_BYTES;
        this.#headBytes = 0;
      }
      const end = Math.min(at + this.#left, chunk.length);
      if (this.#isRow) {
        chunk.copyWithin(written, at, end);
        written += end - at;
      }
      this.#left -= end - at;
      at = end;
    }
    return { rows: chunk.subarray(0, written), rest: undefined };
  }

  /** Byte by byte: it may be cut anywhere. */
  #readHead(chunk: Buffer, start: number): number {
    let at = start;
    while (this.#headBytes < HEAD_BYTES && at < chunk.length) {
      this.#head[this.#headBytes] = chunk[at] ?? 0;
      this.#headBytes += 1;
      at += 1;
    }
    return at;
  }
}
