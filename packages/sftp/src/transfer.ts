import { Readable } from 'node:stream';
import { SftpTooLarge } from './errors.js';
import type { SftpRequests } from './requests.js';

/** Bytes per READ or WRITE: what every server takes (filexfer-02 asks for 32 KiB at least), headers included. */
const BLOCK = 31 * 1024;
/** Requests in flight. One alone moves 31 KiB per round trip: 1.5 MB/s at 20 ms. */
const WINDOW = 32;

/** The file from start to end, with read-ahead. Errors (SftpNotFound, …) come as the stream's `error`. */
export function readStream(requests: SftpRequests, path: string): Readable {
  return Readable.from(readBlocks(requests, path), { objectMode: false, highWaterMark: BLOCK });
}

async function* readBlocks(requests: SftpRequests, path: string): AsyncGenerator<Buffer> {
  const handle = await requests.openFile(path, 'r');
  try {
    const ahead: Promise<Buffer>[] = [];
    // Most files are small: start with little read-ahead and double it with every block that came.
    let window = 2;
    for (let position = 0; ; position += BLOCK) {
      ahead.push(quiet(readBlock(requests, handle, position)));
      if (ahead.length < window) continue;
      const block = await ahead.shift();
      if (!block || block.length === 0) return;
      yield block;
      if (block.length < BLOCK) return;
      window = Math.min(window * 2, WINDOW);
    }
  } finally {
    await requests.closeFile(handle).catch(() => {});
  }
}

/** A whole block, also from a server that answers in smaller pieces; shorter only at the end of the file. */
async function readBlock(requests: SftpRequests, handle: Buffer, start: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < BLOCK) {
    const piece = await requests.read(handle, start + length, BLOCK - length);
    if (piece.length === 0) break;
    pieces.push(piece);
    length += piece.length;
  }
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
}

/** The whole file in memory; SftpTooLarge as soon as more than `maxBytes` came. */
export async function readAll(requests: SftpRequests, path: string, maxBytes: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  let length = 0;
  for await (const block of readBlocks(requests, path)) {
    length += block.length;
    if (length > maxBytes) throw new SftpTooLarge(`read ${path}: more than ${maxBytes} bytes`);
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

/** Writes (or overwrites) `path` and makes it durable where the server can; resolves with the bytes written. */
export async function writeFile(
  requests: SftpRequests,
  path: string,
  source: AsyncIterable<Buffer | string> | Buffer,
): Promise<number> {
  const handle = await requests.openFile(path, 'w');
  const flying: Promise<void>[] = [];
  let position = 0;
  try {
    for await (const block of blocksOf(source)) {
      flying.push(quiet(requests.write(handle, position, block)));
      position += block.length;
      if (flying.length >= WINDOW) await flying.shift();
    }
    await Promise.all(flying);
    await requests.sync(handle);
  } catch (error) {
    await Promise.allSettled(flying);
    await requests.closeFile(handle).catch(() => {});
    throw error;
  }
  await requests.closeFile(handle);
  return position;
}

/** Full blocks, however small the chunks come: each WRITE costs both sides as much as moving some kilobytes. */
async function* blocksOf(source: AsyncIterable<Buffer | string> | Buffer): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(BLOCK);
  let filled = 0;
  for await (const chunk of Buffer.isBuffer(source) ? [source] : source) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    for (let start = 0; start < bytes.length; ) {
      const copied = bytes.copy(block, filled, start);
      start += copied;
      filled += copied;
      if (filled < BLOCK) continue;
      yield block;
      block = Buffer.allocUnsafe(BLOCK);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** Somebody awaits it later, or has already failed for the same reason: no "unhandled rejection" in between. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
