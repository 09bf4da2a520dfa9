import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const TIME_BYTES = 6;
/** For 512 IDs: a call for random bytes costs as much as the rest of an answer, however many it brings. */
const pool = Buffer.alloc(512 * ID_BYTES);
let used = pool.length;

/** UUID version 7 (RFC 9562 5.7): milliseconds since 1970 in front, so that IDs of one time lie together in the index. */
export function newEventId(atMs: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += ID_BYTES;
  pool.writeUIntBE(atMs, at, TIME_BYTES);
  pool[at + 6] = ((pool[at + 6] ?? 0) & 0x0f) | 0x70;
  pool[at + 8] = ((pool[at + 8] ?? 0) & 0x3f) | 0x80;
  const hex = pool.toString('hex', at, at + ID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
