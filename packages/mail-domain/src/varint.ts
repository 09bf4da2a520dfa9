/** A canonical unsigned LEB128 number read from bytes, and where the next one starts. */
export interface Varint {
  value: bigint;
  next: number;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Writes canonical unsigned LEB128 (seven bits a byte, lowest first, no padding). @returns where it ends */
export function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let rest = value;
  let at = start;
  for (; rest > 0x7f; at += 1) {
    bytes[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at] = rest;
  return at + 1;
}

/** @param value 0 to 2^63-1 @returns at most nine bytes */
export function encodeVarint(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  // bigint arithmetic allocates: only the part beyond 2^53 needs it.
  let rest = value;
  let at = 0;
  for (; rest > MAX_SAFE; at += 1) {
    bytes[at] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  return bytes.subarray(0, writeVarint(bytes, at, Number(rest)));
}

/** @param limit the most bytes it may have (9 hold 2^63-1) @returns null when cut off, too long or not canonical */
export function decodeVarint(bytes: Uint8Array, start: number, limit: number): Varint | null {
  let value = 0n;
  for (let i = 0; i < limit; i += 1) {
    const byte = bytes[start + i];
    if (byte === undefined) return null;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte > 0x7f) continue;
    return byte === 0 && i > 0 ? null : { value, next: start + i + 1 };
  }
  return null;
}
