import { open, rm } from 'node:fs/promises';
import type { Logger } from '@postloop/service-kit';
import { decodeFrames, MAX_FRAME_BYTES } from './record-frame.js';
import type { Segment } from './segment.js';

const CHUNK_BYTES = 32 * MAX_FRAME_BYTES;

/**
 * Reads the segments in order, oldest first. `peek` shows the next records, `commit` says that they are safe elsewhere.
 * A segment is deleted when all of it was committed. The position is kept in memory only: whoever takes the records
 * must not mind to get some of them again in the next life.
 */
export class SpoolReader {
  #position = 0;
  #peeked = 0;

  constructor(
    private readonly segments: Segment[],
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** Bytes that are on disk and not yet committed. */
  get waitingBytes(): number {
    return this.segments.reduce((sum, { durable }) => sum + durable, 0) - this.#position;
  }

  /** The payloads of the next records, at most `limit`; empty when there are none. */
  async peek(limit: number): Promise<Buffer[]> {
    for (;;) {
      await this.removeDone();
      const segment = this.segments[0];
      if (!segment || this.#position >= segment.durable) return [];
      const durable = segment.durable;
      const { payloads, end } = decodeFrames(await this.#read(segment.path, durable), limit);
      this.#peeked = this.#position + end;
      if (payloads.length > 0) return payloads;
      this.log.warn({ segment: segment.path, bytes: durable - this.#position }, 'torn tail of a segment: cut');
      this.#position = durable;
    }
  }

  /** Everything that the last `peek` showed is safe. */
  async commit(): Promise<void> {
    this.#position = this.#peeked;
    await this.removeDone();
  }

  /** Deletes the segments of which nothing is left to read. */
  async removeDone(): Promise<void> {
    for (let head = this.segments[0]; head?.finished && this.#position >= head.durable; head = this.segments[0]) {
      await rm(head.path, { force: true });
      this.segments.shift();
      this.#position = 0;
      this.#peeked = 0;
    }
  }

  async #read(path: string, durable: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, durable - this.#position));
    const handle = await open(path, 'r');
    try {
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, this.#position);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}
