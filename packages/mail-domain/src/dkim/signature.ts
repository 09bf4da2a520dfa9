import { hash, sign } from 'node:crypto';
import type { DkimKey } from './dkim-key.js';

/**
 * Signs canonical header bytes, in the thread pool: an rsa-2048 signature takes a quarter of a millisecond. `rsa-sha256` is
 * PKCS#1 v1.5 (RFC 6376 3.3.2); `ed25519-sha256` signs the SHA-256 of the bytes (RFC 8463 section 3).
 */
export function signBytes({ algorithm, privateKey }: DkimKey, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, signature: Buffer) => (error ? reject(error) : resolve(signature));
    if (algorithm === 'rsa-sha256') sign('sha256', bytes, privateKey, done);
    else sign(null, hash('sha256', bytes, 'buffer'), privateKey, done);
  });
}
