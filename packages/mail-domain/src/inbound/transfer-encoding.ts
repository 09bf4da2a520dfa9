/** Decodes a body (RFC 2045 6). An encoding that is not known is taken as none; faults in the data are skipped. */
export function decodeTransfer(body: Buffer, encoding: string): Buffer {
  const name = encoding.trim().toLowerCase();
  if (name.includes('base64')) return decodeBase64(body);
  if (name.includes('quoted-printable')) return decodeQuotedPrintable(body);
  return body;
}

/** Node's decoder skips what is not base64, but ends at the first padding: some servers pad every line. */
export function decodeBase64(body: Buffer): Buffer {
  const text = body.toString('latin1');
  if (!/=\s*[A-Za-z0-9+/]/.test(text)) return Buffer.from(text, 'base64');
  return Buffer.concat(text.split('\n').map((line) => Buffer.from(line, 'base64')));
}

export function decodeQuotedPrintable(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length);
  let length = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0;
    if (byte !== 0x3d) {
      out[length++] = byte;
      continue;
    }
    const softBreak = softBreakLength(body, at + 1);
    const value = softBreak === 0 ? hexByte(body, at + 1) : null;
    if (softBreak > 0) at += softBreak;
    else if (value !== null) {
      out[length++] = value;
      at += 2;
    } else out[length++] = byte;
  }
  return out.subarray(0, length);
}

function softBreakLength(body: Buffer, at: number): number {
  if (body[at] === 0x0a) return 1;
  return body[at] === 0x0d && body[at + 1] === 0x0a ? 2 : 0;
}

function hexByte(body: Buffer, at: number): number | null {
  const high = hexDigit(body[at]);
  const low = hexDigit(body[at + 1]);
  return high === null || low === null ? null : high * 16 + low;
}

function hexDigit(code: number | undefined): number | null {
  if (code === undefined) return null;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : null;
}
