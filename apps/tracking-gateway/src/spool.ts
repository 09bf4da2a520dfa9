import { EventEmitter, once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@postloop/service-kit';
import { findSegments, type Segment, syncDirectory } from './segment.js';
import { SpoolReader } from './spool-reader.js';
import { type SegmentFile, SpoolWriter } from './spool-writer.js';

export interface SpoolOptions {
  directory: string;
  log: Pick<Logger, 'warn'>;
  /** Default 8 MiB. */
  segmentBytes?: number;
  /** Default one minute. */
  segmentMs?: number;
  /** Milliseconds; default the system clock. */
  now?: () => number;
  openFile?: (path: string) => Promise<SegmentFile>;
}

/** A durable queue of records in a directory: many append, one reads. */
export interface Spool {
  /** Resolves when the record is on disk (fsync): it survives kill -9 and a power cut. */
  append(payload: Buffer): Promise<void>;
  /** The next records, oldest first, at most `limit`; the same ones again until `commit`. */
  peek(limit: number): Promise<Buffer[]>;
  commit(): Promise<void>;
  /** Resolves when there is something to peek at, or when the signal aborts. */
  waitForRecords(signal: AbortSignal): Promise<void>;
  /** Bytes on disk that are not committed. */
  readonly waitingBytes: number;
  /** Rejects when no file can be written. */
  checkWritable(): Promise<void>;
  /** Flushes; what is not committed stays for the next life. Stop reading before. */
  close(): Promise<void>;
}

/** Opens the spool; records of an earlier life come first. The directory is made when missing. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, log, segmentBytes = 8 * 1024 * 1024, segmentMs = 60_000, now = Date.now } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const segments: Segment[] = await findSegments(directory);
  const events = new EventEmitter();
  const reader = new SpoolReader(segments, log);
  const writer = new SpoolWriter({
    directory,
    lastNumber: segments.at(-1)?.number ?? 0,
    segmentBytes,
    segmentMs,
    now,
    onSegment: (segment) => segments.push(segment),
    onDurable: () => events.emit('durable'),
    ...(options.openFile === undefined ? {} : { openFile: options.openFile }),
  });
  return {
    append: (payload) => writer.append(payload),
    peek: (limit) => reader.peek(limit),
    commit: () => reader.commit(),
    async waitForRecords(signal) {
      if (reader.waitingBytes > 0) return;
      await once(events, 'durable', { signal }).catch(() => undefined); // only ever aborted
    },
    get waitingBytes() {
      return reader.waitingBytes;
    },
    checkWritable: () => checkWritable(directory),
    async close() {
      await writer.close();
      await reader.removeDone();
    },
  };
}

/** Permissions alone do not tell of a full disk or one that is mounted read-only. */
async function checkWritable(directory: string): Promise<void> {
  const probe = join(directory, '.probe');
  await writeFile(probe, 'probe', { flush: true });
  await rm(probe, { force: true });
  await syncDirectory(directory);
}
