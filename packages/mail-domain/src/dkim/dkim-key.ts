import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

export const DKIM_ALGORITHMS = ['rsa-sha256', 'ed25519-sha256'] as const;
export type DkimAlgorithm = (typeof DKIM_ALGORITHMS)[number];

/** A key that signs. The private key is a key object: logged, it shows no bytes. */
export interface DkimKey {
  /** `d=`, in lower case. */
  domain: string;
  /** `s=`, in lower case. */
  selector: string;
  algorithm: DkimAlgorithm;
  privateKey: KeyObject;
}

const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SELECTOR = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?([.][a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** RFC 8301 3.2: signers must not use shorter ones, and should not use any under 2,048. */
const MIN_RSA_BITS = 1_024;
const KEY_TYPES: Record<DkimAlgorithm, string> = { 'rsa-sha256': 'rsa', 'ed25519-sha256': 'ed25519' };

/**
 * @param pem the private key, PKCS#1 or PKCS#8, without a passphrase
 * @throws RangeError that says what is wrong and shows nothing of the key
 */
export function createDkimKey({
  domain,
  selector,
  algorithm,
  pem,
}: {
  domain: string;
  selector: string;
  algorithm: DkimAlgorithm;
  pem: string;
}): DkimKey {
  const key = { domain: domain.toLowerCase(), selector: selector.toLowerCase() };
  if (!DOMAIN.test(key.domain) || key.domain.length > 253) throw new RangeError(`"${domain}" is no domain`);
  if (!SELECTOR.test(key.selector)) throw new RangeError(`"${selector}" is no selector`);
  const privateKey = parsePrivateKey(pem);
  const type = privateKey.asymmetricKeyType ?? 'unknown';
  if (type !== KEY_TYPES[algorithm])
    throw new RangeError(`the key is of type ${type}, which ${algorithm} does not use`);
  const bits = privateKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS)
    throw new RangeError(`the key has ${bits} bits; ${MIN_RSA_BITS} are the least (RFC 8301), 2048 are right`);
  return { ...key, algorithm, privateKey };
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new RangeError('the key is no PEM of a private key without a passphrase');
  }
}

/** The TXT record that verifiers look for (RFC 6376 3.6.1, RFC 8463 section 4). */
export function dkimRecord({ domain, selector, algorithm, privateKey }: DkimKey): { name: string; value: string } {
  const publicKey = createPublicKey(privateKey);
  const name = `${selector}._domainkey.${domain}`;
  if (algorithm === 'rsa-sha256') {
    const p = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    return { name, value: `v=DKIM1; k=rsa; p=${p}` };
  }
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return { name, value: `v=DKIM1; k=ed25519; p=${raw.toString('base64')}` };
}
