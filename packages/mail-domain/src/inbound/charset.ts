const SAFE_NAME = /^[A-Za-z0-9._:-]{1,40}$/;

/** Bytes to text. A charset that is missing, unknown or wrong is guessed: UTF-8 when the bytes are, else Windows-1252. */
export function decodeBytes(bytes: Buffer, charset: string): string {
  const name = charset.trim().toLowerCase();
  if (name === '' || name === 'us-ascii' || name === 'utf-8' || !SAFE_NAME.test(name)) return guess(bytes);
  try {
    return new TextDecoder(name).decode(bytes);
  } catch {
    return guess(bytes);
  }
}

function guess(bytes: Buffer): string {
  // ISO-2022-JP is 7-bit, so it passes for ASCII; its shift sequences do not occur anywhere else.
  if (bytes.includes('\x1b$') || bytes.includes('\x1b(B')) return new TextDecoder('iso-2022-jp').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
