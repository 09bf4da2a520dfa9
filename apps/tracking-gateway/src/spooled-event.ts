const KINDS = ['open', 'click', 'unsubscribe'] as const;
export type EventKind = (typeof KINDS)[number];

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

/** Short names: millions of these wait on a disk when the database is away. `v` for gateways of another version. */
interface Stored {
  v: 1;
  id: string;
  k: EventKind;
  m: string;
  r: string;
  o: number;
  t: number;
  q: string;
  u: string | null;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const ID = /^[1-9]\d{0,18}$/;

/** By hand, for it is done with every event: a schema takes three times as long. */
function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null) return false;
  const { v, id, k, m, r, o, t, q, u }: { [name in keyof Stored]?: unknown } = value;
  return (
    v === 1 &&
    isText(id, UUID) &&
    KINDS.some((kind) => kind === k) &&
    isText(m, ID) &&
    isText(r, ID) &&
    isCount(o) &&
    isCount(t) &&
    typeof q === 'string' &&
    (typeof u === 'string' || u === null)
  );
}

const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** Written out, because `JSON.stringify` of the whole takes four times as long, and this is done before every answer. */
export function encodeEvent(event: SpooledEvent): Buffer {
  const { id, kind, mailingId, recipientId, ordinal, occurredAtMs, method, userAgent } = event;
  const whose = `"k":"${kind}","m":"${mailingId}","r":"${recipientId}","o":${ordinal},"t":${occurredAtMs}`;
  return Buffer.from(`{"v":1,"id":"${id}",${whose},"q":${JSON.stringify(method)},"u":${JSON.stringify(userAgent)}}`);
}

/** @throws when the payload is not what `encodeEvent` makes */
export function decodeEvent(payload: Buffer): SpooledEvent {
  const record: unknown = JSON.parse(payload.toString());
  if (!isStored(record)) throw new Error('this is no event of a known version');
  const { id, k, m, r, o, t, q, u } = record;
  return {
    id,
    kind: k,
    mailingId: BigInt(m),
    recipientId: BigInt(r),
    ordinal: o,
    occurredAtMs: t,
    method: q,
    userAgent: u,
  };
}

/** A user agent as it may be stored: without control characters, at most 512 characters; null when nothing is left. */
export function cleanUserAgent(header: string | undefined): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = (header ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, '').trim();
  return clean.slice(0, MAX_USER_AGENT) || null;
}
