import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Keyring, TokenKey } from './keyring.js';
import { decodeBase64url, decodeTokenBytes } from './token-text.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes of the longest target that travels in a link: with its token it stays under the 8 KB that web servers take. */
export const MAX_TARGET_BYTES = 5000;
const MAX_SEALED_TEXT = Math.ceil(((MAX_TARGET_BYTES + NONCE_BYTES + TAG_BYTES) * 4) / 3);

/**
 * Encrypts the target of a personalised link so that it can travel in the link itself: AES-256-GCM with the token as
 * associated data, so that it opens with this token only. The nonce is synthetic (HMAC-SHA256 of token and target), so
 * the same mail made twice is the same.
 * @param token a click token that `signTokens` made
 * @throws RangeError when the target has over MAX_TARGET_BYTES bytes or the token was made with an unknown key
 */
export function sealTarget(keyring: Keyring, token: string, url: string): string {
  const bytes = decodeTokenBytes('click', token);
  const key = bytes && keyOf(keyring, bytes);
  if (!key) throw new RangeError('the token was not made with a key of the ring');
  const plain = Buffer.from(url);
  if (plain.length > MAX_TARGET_BYTES) throw new RangeError(`the target has over ${MAX_TARGET_BYTES} bytes`);
  const nonce = createHmac('sha256', key.nonceKey).update(bytes).update(plain).digest().subarray(0, NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.sealKey, nonce, { authTagLength: TAG_BYTES }).setAAD(bytes);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/**
 * Opens what `sealTarget` made. The token itself is verified by `verifyToken`.
 * @returns null for anything else, at little cost
 */
export function openTarget(keyring: Keyring, token: string, sealed: string): string | null {
  if (sealed.length > MAX_SEALED_TEXT) return null;
  const bytes = decodeTokenBytes('click', token);
  const key = bytes && keyOf(keyring, bytes);
  const box = key && decodeBase64url(sealed);
  if (!box || box.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = box.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key.sealKey, nonce, { authTagLength: TAG_BYTES })
    .setAAD(bytes)
    .setAuthTag(box.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
  } catch {
    return null;
  }
}

function keyOf(keyring: Keyring, token: Buffer): TokenKey | undefined {
  const id = token[1];
  return id === undefined ? undefined : keyring.find(id);
}
