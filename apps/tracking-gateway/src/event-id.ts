import { createHash, randomFillSync } from 'node:crypto';

/** UUID version 7 (RFC 9562 5.7): milliseconds since 1970 in front, so that IDs of one time lie together in the index. */
export function newEventId(atMs: number): string {
  const bytes = randomFillSync(Buffer.allocUnsafe(16));
  bytes.writeUIntBE(atMs, 0, 6);
  return format(bytes, 0x70);
}

/**
 * The ID of an unsubscribe: always the same for a recipient of a mailing, so that it counts once however often it is
 * asked for. UUID version 8 (RFC 9562 5.8) of SHA-256. It must never change: what is recorded carries it.
 */
export function unsubscribeEventId(mailingId: bigint, recipientId: bigint): string {
  return format(createHash('sha256').update(`${mailingId}|${recipientId}|unsubscribe`).digest(), 0x80);
}

function format(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | version;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
