// Makes what docker-compose.yml needs: secrets/ and .env. What is there is left alone, so it may run again at any time.
// Uses nothing but Node. Another folder than the repository's may be named, for tests.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? root);
const secrets = join(target, 'secrets');

// The containers' users read the files, whoever owns them outside; nobody else here gets through the folder.
mkdirSync(secrets, { recursive: true, mode: 0o700 });
make('.gitignore', () => '*\n');
const password = make('postgres_password', () => randomBytes(24).toString('base64url'));
make('database_url', () => `postgres://postloop:${password}@postgres:5432/postloop\n`);
make('token_keys', () => `1:${randomBytes(32).toString('base64')}\n`);
make('suppression_key', () => `${randomBytes(32).toString('base64')}\n`);
make('smtp_url', () => 'smtp://mailpit:1025\n');
makeKeyPair('sftp_host_key', 'sftp_host_key_pub', 'postloop sftp host');
makeKeyPair('sftp_key', 'sftp_authorized_keys', 'postloop');

if (existsSync(join(target, '.env'))) say('.env is there');
else {
  copyFileSync(join(root, '.env.example'), join(target, '.env'));
  say('.env made from .env.example');
}

/** @returns the file's content: what was there, or what `content` gives */
function make(name, content) {
  const file = join(secrets, name);
  if (existsSync(file)) {
    say(`secrets/${name} is there`);
    return readFileSync(file, 'utf8');
  }
  const made = content();
  writeFileSync(file, made, { mode: 0o644, flag: 'wx' });
  say(`secrets/${name} made`);
  return made;
}

function makeKeyPair(privateName, publicName, comment) {
  if (existsSync(join(secrets, privateName)) !== existsSync(join(secrets, publicName)))
    throw new Error(`secrets/${privateName} and secrets/${publicName} belong together: one of them is missing`);
  const pair = ed25519(comment);
  make(privateName, () => pair.privateKey);
  make(publicName, () => pair.publicKey);
}

/** An ed25519 key pair as OpenSSH keeps it (its PROTOCOL.key), unencrypted. */
function ed25519(comment) {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const blob = Buffer.concat([field('ssh-ed25519'), field(point)]);
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, blob, field(Buffer.concat([seed, point])), field(comment)]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (body.length % 8)) % 8));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(field),
    uint32(1),
    field(blob),
    field(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey: `ssh-ed25519 ${blob.toString('base64')} ${comment}\n`,
  };
}

function field(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function say(message) {
  process.stdout.write(`${message}\n`);
}
