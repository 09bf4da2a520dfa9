import { createCipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** What is derived from one secret. Closures and key objects, so that a keyring that is logged shows no bytes. */
export interface TokenKey {
  /** 0 to 255, written into every token. */
  readonly id: number;
  /** Encrypts whole 16-byte blocks, each by itself: the block function of the tag's CBC-MAC, not a cipher to use. */
  readonly encryptBlocks: (blocks: Buffer) => Buffer;
  /** The CBC-MAC of whole blocks, which it changes: for one message a call less than with `encryptBlocks`. */
  readonly macOf: (blocks: Buffer) => Buffer;
  readonly sealKey: KeyObject;
  readonly nonceKey: KeyObject;
}

/** The keys of all tokens: `current` signs, every one verifies. */
export interface Keyring {
  readonly current: TokenKey;
  readonly find: (id: number) => TokenKey | undefined;
}

export interface KeyringOptions {
  /** Keys that were ever used stay here, else the mails signed with them go silent. */
  keys: readonly { id: number; secret: Buffer }[];
  /** The ID of the key that signs. */
  current: number;
}

const MIN_SECRET_BYTES = 32;

/** @throws RangeError for an ID outside 0..255 or twice, a secret under 32 bytes, a current key that is not there */
export function createKeyring(options: KeyringOptions): Keyring {
  const keys = new Map<number, TokenKey>();
  for (const { id, secret } of options.keys) {
    if (!Number.isInteger(id) || id < 0 || id > 255) throw new RangeError(`key ID ${id} is not within 0..255`);
    if (keys.has(id)) throw new RangeError(`key ID ${id} is there twice`);
    if (secret.length < MIN_SECRET_BYTES)
      throw new RangeError(`the secret of key ${id} has ${secret.length} bytes, ${MIN_SECRET_BYTES} are needed`);
    keys.set(id, deriveKey(id, secret));
  }
  const current = keys.get(options.current);
  if (!current) throw new RangeError(`the current key ${options.current} is not among the keys`);
  return { current, find: (id) => keys.get(id) };
}

/** HKDF-SHA256 (RFC 5869) without salt; the info strings are part of the format and never change. */
function deriveKey(id: number, secret: Buffer): TokenKey {
  const derive = (info: string) => Buffer.from(hkdfSync('sha256', secret, '', info, 32));
  // One cipher for the life of the key: ECB keeps no state between blocks, and setting one up costs more than a tag.
  const macKey = derive('postloop token mac 1');
  const cipher = createCipheriv('aes-256-ecb', macKey, null).setAutoPadding(false);
  return {
    id,
    encryptBlocks: (blocks) => cipher.update(blocks),
    macOf: cbcMac(macKey),
    sealKey: createSecretKey(derive('postloop token seal 1')),
    nonceKey: createSecretKey(derive('postloop token nonce 1')),
  };
}

const BLOCK = 16;

/** One chain for the life of the key: its last block, which CBC would mix into the next message, is mixed in once more and so cancels out. */
function cbcMac(key: Buffer): (blocks: Buffer) => Buffer {
  const cipher = createCipheriv('aes-256-cbc', key, Buffer.alloc(BLOCK)).setAutoPadding(false);
  let last: Uint8Array = new Uint8Array(BLOCK);
  return (blocks) => {
    for (let i = 0; i < BLOCK; i += 1) blocks[i] = (blocks[i] ?? 0) ^ (last[i] ?? 0);
    const mac = cipher.update(blocks).subarray(-BLOCK);
    last = mac;
    return mac;
  };
}
