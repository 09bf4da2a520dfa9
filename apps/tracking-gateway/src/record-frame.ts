import { crc32 } from 'node:zlib';

const HEAD_BYTES = 8;

/** Bytes of the longest payload. Longer lengths are read as damage, so that junk never makes us wait for gigabytes. */
const MAX_PAYLOAD_BYTES = 16_384;

/** Bytes of the longest frame. */
export const MAX_FRAME_BYTES = HEAD_BYTES + MAX_PAYLOAD_BYTES;

/** @throws RangeError for an empty payload (a run of zeros would pass for it) or one over MAX_PAYLOAD_BYTES */
export function checkPayload({ length }: Buffer): void {
  if (length === 0 || length > MAX_PAYLOAD_BYTES)
    throw new RangeError(`a record has 1 to ${MAX_PAYLOAD_BYTES} bytes, not ${length}`);
}

/** Records as they stand in a segment, each of them: length (u32be), CRC-32 of the payload (u32be), payload. */
export function encodeFrames(payloads: readonly Buffer[]): Buffer {
  const frames = Buffer.allocUnsafe(payloads.reduce((sum, { length }) => sum + HEAD_BYTES + length, 0));
  let at = 0;
  for (const payload of payloads) {
    frames.writeUInt32BE(payload.length, at);
    frames.writeUInt32BE(crc32(payload), at + 4);
    frames.set(payload, at + HEAD_BYTES);
    at += HEAD_BYTES + payload.length;
  }
  return frames;
}

export interface Decoded {
  payloads: Buffer[];
  /** Offset behind the last whole frame. */
  end: number;
}

/**
 * Reads whole frames from the start of `bytes`, at most `limit`. Stops before what is cut short or damaged: a file
 * system may leave a torn tail, or one of zeros, behind the last byte that was flushed.
 */
export function decodeFrames(bytes: Buffer, limit: number): Decoded {
  const payloads: Buffer[] = [];
  let end = 0;
  while (payloads.length < limit && end + HEAD_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(end);
    const start = end + HEAD_BYTES;
    if (length === 0 || length > MAX_PAYLOAD_BYTES || start + length > bytes.length) break;
    const payload = bytes.subarray(start, start + length);
    if (crc32(payload) !== bytes.readUInt32BE(end + 4)) break;
    payloads.push(payload);
    end = start + length;
  }
  return { payloads, end };
}
