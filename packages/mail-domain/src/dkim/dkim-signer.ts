import { bodyHash } from './canonical-body.js';
import type { DkimKey } from './dkim-key.js';
import { relaxedField, splitMessage } from './header-fields.js';
import { signBytes } from './signature.js';
import { signedField, unsignedField } from './signature-field.js';
import { signedFields } from './signed-fields.js';

/**
 * Message in, one DKIM-Signature field per key out, which go in front of it; the message is not copied. Lines end with CRLF.
 * Rejects with a RangeError for a message without From.
 */
export type DkimSigner = (message: Buffer, date: Date) => Promise<Buffer>;

const NONE = Buffer.alloc(0);

/** Signs with every key at once (relaxed/simple, RFC 6376 and RFC 8463). Without keys there is no field. */
export function createDkimSigner(keys: readonly DkimKey[]): DkimSigner {
  if (keys.length === 0) return async () => NONE;
  return async (message, date) => {
    const { fields, body } = splitMessage(message);
    const { names, canonical } = signedFields(fields);
    const facts = { date, names, bodyHash: bodyHash(body) };
    const signatures = await Promise.all(
      keys.map(async (key) => {
        const unsigned = unsignedField(key, facts);
        // The field of the signature itself comes last, without CRLF (RFC 6376 3.7).
        const signature = await signBytes(key, Buffer.from(canonical + relaxedField(unsigned), 'latin1'));
        return signedField(unsigned, signature);
      }),
    );
    return Buffer.from(signatures.join(''), 'latin1');
  };
}
