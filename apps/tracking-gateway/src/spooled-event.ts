import { id } from '@postloop/contracts';
import { z } from 'zod';

export type EventKind = 'open' | 'click' | 'unsubscribe';

/** What the gateway saw, as it waits in the spool. */
export interface SpooledEvent {
  /** UUID made here: recording it twice is recording it once. */
  id: string;
  kind: EventKind;
  mailingId: bigint;
  recipientId: bigint;
  ordinal: number;
  /** Milliseconds since 1970. */
  occurredAtMs: number;
  method: string;
  userAgent: string | null;
}

const MAX_USER_AGENT = 512;

// Short names: millions of these wait on a disk when the database is away. `v` for gateways of another version.
const stored = z.object({
  v: z.literal(1),
  id: z.uuid(),
  k: z.enum(['open', 'click', 'unsubscribe']),
  m: id,
  r: id,
  o: z.int().min(0),
  t: z.int().min(0),
  q: z.string(),
  u: z.string().nullable(),
});

/** Written out, because `JSON.stringify` of the whole takes four times as long, and this is done before every answer. */
export function encodeEvent(event: SpooledEvent): Buffer {
  const { id, kind, mailingId, recipientId, ordinal, occurredAtMs, method, userAgent } = event;
  const whose = `"k":"${kind}","m":"${mailingId}","r":"${recipientId}","o":${ordinal},"t":${occurredAtMs}`;
  return Buffer.from(`{"v":1,"id":"${id}",${whose},"q":${JSON.stringify(method)},"u":${JSON.stringify(userAgent)}}`);
}

/** @throws when the payload is not what `encodeEvent` makes */
export function decodeEvent(payload: Buffer): SpooledEvent {
  const { id, k, m, r, o, t, q, u } = stored.parse(JSON.parse(payload.toString()));
  return { id, kind: k, mailingId: m, recipientId: r, ordinal: o, occurredAtMs: t, method: q, userAgent: u };
}

/** A user agent as it may be stored: without control characters, at most 512 characters; null when nothing is left. */
export function cleanUserAgent(header: string | undefined): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = (header ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, '').trim();
  return clean.slice(0, MAX_USER_AGENT) || null;
}
