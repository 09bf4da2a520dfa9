import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2 from 'ssh2';

export interface HostKey {
  privateKey: string;
  /** OpenSSH public key line. */
  publicKey: string;
  /** `SHA256:…`. */
  fingerprint: string;
}

/** Reads the private key in `file`; makes an ed25519 key there when the file is missing. */
export async function loadHostKey(file: string): Promise<HostKey> {
  const privateKey = (await readIfThere(file)) ?? (await makeKey(file));
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw new Error(`${file} holds no usable host key: ${key.message}`);
  return { privateKey, ...publicPart(key.type, key.getPublicSSH()) };
}

function publicPart(type: string, blob: Buffer): { publicKey: string; fingerprint: string } {
  const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return { publicKey: `${type} ${blob.toString('base64')}`, fingerprint: `SHA256:${hash}` };
}

async function makeKey(file: string): Promise<string> {
  const key = makeKeyPair().private;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, key, { mode: 0o600, flag: 'wx' });
  return key;
}

/** ssh2 writes an ed25519 key now and then so that it cannot be read again: then another one is made. */
export function makeKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
