import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { checkPayload, encodeFrames } from './record-frame.js';
import { type Segment, segmentPath, syncDirectory } from './segment.js';

/** The part of a file handle that the writer uses. */
export interface SegmentFile {
  /** The bytes that it says it wrote are on disk. */
  write(bytes: Buffer, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolWriterOptions {
  directory: string;
  /** Number of the newest segment that is there. */
  lastNumber: number;
  /** A segment that has this many bytes, or is this many milliseconds old, is finished before the next group. */
  segmentBytes: number;
  segmentMs: number;
  /** Milliseconds. */
  now: () => number;
  onSegment: (segment: Segment) => void;
  /** A group is on disk. */
  onDurable: () => void;
  openFile?: (path: string) => Promise<SegmentFile>;
}

interface Waiting {
  payload: Buffer;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Appends records with group commit: while one flush runs, all that arrives gathers and shares the next one. So the disk's
 * flush rate bounds the groups, not the requests.
 */
export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  #waiting: Waiting[] = [];
  #busy: Promise<void> | undefined;
  #closed = false;
  #number: number;
  #current: { file: SegmentFile; segment: Segment; openedAt: number } | undefined;

  constructor(options: SpoolWriterOptions) {
    this.#options = options;
    this.#number = options.lastNumber;
  }

  /**
   * Resolves when the record is on disk; rejects with the file system's error when it is not (ENOSPC, EIO), with a
   * RangeError when it is no record.
   */
  append(payload: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new Error('the spool is closed');
      checkPayload(payload);
      this.#waiting.push({ payload, resolve, reject });
      this.#busy ??= this.#writeGroups();
    });
  }

  /** Flushes what waits and finishes the segment. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#busy;
    await this.#retire();
  }

  async #writeGroups(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      try {
        await this.#write(encodeFrames(group.map(({ payload }) => payload)));
        for (const { resolve } of group) resolve();
        this.#options.onDurable();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    // In the same turn as the look at the empty queue, so that no record is left lying.
    this.#busy = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    const { file, segment } = await this.#open();
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, segment.durable + done);
        done += bytesWritten;
      }
    } catch (error) {
      // After a failed flush nobody knows what the file holds behind `durable`: cut it, and never append there again.
      await file.truncate(segment.durable).catch(() => undefined);
      await this.#retire().catch(() => undefined);
      throw error;
    }
    segment.durable += bytes.length;
  }

  async #open(): Promise<{ file: SegmentFile; segment: Segment }> {
    const { directory, segmentBytes, segmentMs, now, onSegment, openFile = createSegmentFile } = this.#options;
    const full = this.#current && this.#current.segment.durable >= segmentBytes;
    const old = this.#current && now() - this.#current.openedAt >= segmentMs;
    if (full || old) await this.#retire();
    if (this.#current) return this.#current;
    this.#number += 1;
    const path = segmentPath(directory, this.#number);
    const file = await openFile(path);
    try {
      await syncDirectory(directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    const segment: Segment = { number: this.#number, path, durable: 0, finished: false };
    onSegment(segment);
    this.#current = { file, segment, openedAt: now() };
    return this.#current;
  }

  async #retire(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    this.#current = undefined;
    current.segment.finished = true;
    await current.file.close();
  }
}

/**
 * O_DSYNC: each write ends as if fdatasync followed it, for the price of one call (open(2)). O_EXCL: two writers on one
 * segment would destroy it.
 */
const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;
export const createSegmentFile = (path: string): Promise<SegmentFile> =>
  open(path, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC, 0o600);
