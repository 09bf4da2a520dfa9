import { createHash, timingSafeEqual } from 'node:crypto';
import { SftpHostKeyError } from './errors.js';

/** The keys that a server may show. */
export interface PinnedHostKeys {
  /** `SHA256:…` without padding, as `ssh-keygen -l` prints it. */
  fingerprints: string[];
  /** Key types to ask the server for (RFC 4253, 7.1), or undefined when only fingerprints were given. */
  algorithms: string[] | undefined;
}

const FINGERPRINT = /^SHA256:([A-Za-z0-9+/]{43})=?$/;
const KEY_TYPE = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/;

/** OpenSSH's form of a host key: `SHA256:` and the unpadded base64 of the key blob's hash. */
export function fingerprintOf(keyBlob: Buffer): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

/** The key type that a blob starts with (RFC 4253, 6.6), or `unknown`. It comes from the server: only known names get through. */
export function keyTypeOf(keyBlob: Buffer): string {
  if (keyBlob.length < 4) return 'unknown';
  const name = keyBlob.subarray(4, 4 + Math.min(keyBlob.readUInt32BE(0), 40)).toString('latin1');
  return KEY_TYPE.test(name) ? name : 'unknown';
}

/**
 * Reads the `hostKey` setting: per line a `SHA256:…` fingerprint, an OpenSSH public key line, or a line of `ssh-keyscan`
 * (host name first). Empty lines and `#` comments are skipped. Throws SftpHostKeyError when nothing is left or a line
 * is none of these.
 */
export function parseHostKeys(setting: string): PinnedHostKeys {
  const lines = setting.split(/\r?\n/).map((line) => line.trim());
  const pins = lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseLine);
  if (pins.length === 0) {
    throw new SftpHostKeyError(
      'no host key is pinned: set it to the fingerprint of the SFTP server (`ssh-keyscan HOST | ssh-keygen -lf -`, compared with its operator)',
    );
  }
  const types = pins.map((pin) => pin.type);
  return {
    fingerprints: pins.map((pin) => pin.fingerprint),
    algorithms: types.every((type) => type !== undefined) ? [...new Set(types.flatMap(signaturesFor))] : undefined,
  };
}

/** Is the key that the server showed one of the pinned ones? */
export function isPinned(pins: PinnedHostKeys, keyBlob: Buffer): boolean {
  const offered = Buffer.from(fingerprintOf(keyBlob));
  return pins.fingerprints.some((pin) => {
    const expected = Buffer.from(pin);
    return expected.length === offered.length && timingSafeEqual(expected, offered);
  });
}

function parseLine(line: string): { fingerprint: string; type: string | undefined } {
  const fingerprint = FINGERPRINT.exec(line);
  if (fingerprint) return { fingerprint: `SHA256:${fingerprint[1]}`, type: undefined };
  const words = line.split(/\s+/);
  const at = words.findIndex((word) => KEY_TYPE.test(word));
  const type = words[at];
  const blob = Buffer.from(words[at + 1] ?? '', 'base64');
  if (type === undefined || keyTypeOf(blob) !== type) {
    throw new SftpHostKeyError(
      `the pinned host key is neither "SHA256:…" nor an OpenSSH public key ("ssh-ed25519 AAAA…"): ${line.slice(0, 60)}`,
    );
  }
  return { fingerprint: fingerprintOf(blob), type };
}

/** RSA keys sign under three names (RFC 8332); the SHA-1 one is left out. */
function signaturesFor(type: string | undefined): string[] {
  if (type === undefined) return [];
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type];
}
