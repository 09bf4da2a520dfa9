import { crc32 } from 'node:zlib';

const HEAD_BYTES = 8;

/** Bytes of the longest payload. Longer lengths are read as damage, so that junk never makes us wait for gigabytes. */
const MAX_PAYLOAD_BYTES = 16_384;

/** Bytes of the longest frame. */
export const MAX_FRAME_BYTES = HEAD_BYTES + MAX_PAYLOAD_BYTES;

/**
 * One record as it stands in a segment: length (u32be), CRC-32 of the payload (u32be), payload.
 * @throws RangeError for an empty payload (a run of zeros would pass for it) or one over MAX_PAYLOAD_BYTES
 */
export function encodeFrame(payload: Buffer): Buffer {
  if (payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES)
    throw new RangeError(`a record has 1 to ${MAX_PAYLOAD_BYTES} bytes, not ${payload.length}`);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(crc32(payload), 4);
  payload.copy(frame, HEAD_BYTES);
  return frame;
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
