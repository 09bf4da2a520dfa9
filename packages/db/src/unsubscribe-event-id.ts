import { createHash } from 'node:crypto';

/**
 * The ID of an unsubscribe event: always the same for a recipient of a mailing, so that it counts once however often and
 * on whatever way (page, one-click, mail) it is asked for. UUID version 8 (RFC 9562 5.8) of SHA-256. It must never change:
 * what is recorded carries it.
 */
export function unsubscribeEventId(mailingId: bigint, recipientId: bigint): string {
  const bytes = createHash('sha256').update(`${mailingId}|${recipientId}|unsubscribe`).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
