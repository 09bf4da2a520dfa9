const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]));

/** RFC 4648 section 6, in lower case and without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(held >>> (bits - 5)) & 31];
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** @param text in any case @returns null for a foreign character, a length no bytes have, or spare bits that are set */
export function decodeBase32(text: string): Buffer | null {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let used = 0;
  for (const character of text.toLowerCase()) {
    const value = VALUES.get(character);
    if (value === undefined) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[used] = held >>> bits;
    used += 1;
  }
  const spare = held & ((1 << bits) - 1);
  return bits >= 5 || spare !== 0 ? null : bytes;
}
