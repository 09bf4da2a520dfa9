import { decodeBase32, encodeBase32 } from './base32.js';
import { decodeVarint } from './varint.js';

/** Four bits each. Mails that were sent carry them: a number is never given to another purpose. */
export const TOKEN_PURPOSES = {
  pixel: 1,
  click: 2,
  unsubscribe: 3,
  webVersion: 4,
  returnPath: 5,
  messageId: 6,
  optIn: 7,
} as const;

type Purpose = keyof typeof TOKEN_PURPOSES;

/** Bytes of the tag. Shorter where a local part of 64 octets must hold all. */
export const TAG_BYTES: Record<Purpose, number> = {
  pixel: 16,
  click: 16,
  unsubscribe: 16,
  webVersion: 16,
  returnPath: 10,
  messageId: 10,
  optIn: 16,
};

/** Purposes that live in addresses, which mail systems turn into lower case: base32 behind this letter. */
const ADDRESS_PREFIX: Partial<Record<Purpose, string>> = { returnPath: 'b', messageId: 'm' };

const ID_BYTES = 9;
const ORDINAL_BYTES = 5;
const MAX_TEXT = 64;
/** Head, key ID, two IDs, ordinal, tag. */
export const MAX_TOKEN_BYTES = 2 + 2 * ID_BYTES + ORDINAL_BYTES + 16;
const MAX_ORDINAL = 0xffffffffn;

/** The parts of a token that has the right form. Nothing is verified yet. */
export interface DecodedToken {
  version: number;
  purpose: number;
  keyId: number;
  mailingId: bigint;
  recipientId: bigint;
  ordinal: number;
  tag: Buffer;
}

/** @param end how many of the bytes are the token */
export function encodeTokenText(purpose: Purpose, bytes: Buffer, end: number): string {
  const prefix = ADDRESS_PREFIX[purpose];
  return prefix === undefined ? bytes.toString('base64url', 0, end) : prefix + encodeBase32(bytes.subarray(0, end));
}

/** @returns null unless the text is the one canonical text of a token with this purpose's tag length */
export function decodeTokenText(purpose: Purpose, text: string): DecodedToken | null {
  const bytes = decodeTokenBytes(purpose, text);
  if (!bytes) return null;
  const mailing = decodeVarint(bytes, 2, ID_BYTES);
  const recipient = mailing && decodeVarint(bytes, mailing.next, ID_BYTES);
  const ordinal = recipient && decodeVarint(bytes, recipient.next, ORDINAL_BYTES);
  if (!ordinal || ordinal.value > MAX_ORDINAL || bytes.length - ordinal.next !== TAG_BYTES[purpose]) return null;
  const [head = 0, keyId = 0] = bytes;
  return {
    version: head >>> 4,
    purpose: head & 0x0f,
    keyId,
    mailingId: mailing.value,
    recipientId: recipient.value,
    ordinal: Number(ordinal.value),
    tag: bytes.subarray(ordinal.next),
  };
}

/** @returns the token's bytes, or null when the text is too long or not canonical base64url (base32) */
export function decodeTokenBytes(purpose: Purpose, text: string): Buffer | null {
  // First of all, so that long junk costs nothing.
  if (text.length > MAX_TEXT) return null;
  const prefix = ADDRESS_PREFIX[purpose];
  if (prefix !== undefined) return text.charAt(0).toLowerCase() === prefix ? decodeBase32(text.slice(1)) : null;
  return decodeBase64url(text);
}

/** @returns null for foreign characters, padding, or spare bits that are set: one byte string has one text */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
