const BLOCK = 64;

/**
 * A connection string whose sessions know the suppression key as `suppression_hash_of` needs it: padded twice for HMAC-SHA256
 * (RFC 2104). @param key at most 64 bytes
 */
export function withSuppressionKey(url: string, key: Buffer | undefined): string {
  if (!key) return url;
  if (key.length > BLOCK) throw new RangeError(`a suppression key has at most ${BLOCK} bytes`);
  const padded = Buffer.concat([key, Buffer.alloc(BLOCK - key.length)]);
  const keyed = (mask: number) => Buffer.from(padded.map((byte) => byte ^ mask)).toString('hex');
  const session = new URL(url);
  const options = [
    session.searchParams.get('options'),
    `-c postloop.suppression_inner=${keyed(0x36)}`,
    `-c postloop.suppression_outer=${keyed(0x5c)}`,
  ];
  session.searchParams.set('options', options.filter(Boolean).join(' '));
  return session.href;
}
