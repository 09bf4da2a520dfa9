import { createHash } from 'node:crypto';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const CRLF = Buffer.from('\r\n');

/**
 * The body as the algorithm "relaxed" sees it (RFC 6376 3.4.4): white space at line ends is gone, within a line it is one
 * space, empty lines at the end do not count, and what is left ends with CRLF. An empty body stays empty.
 * Only CRLF ends a line; a bare CR or LF is a byte as any other.
 */
export function relaxedBody(body: Buffer): Buffer {
  return withOneLineEnd(withoutExtraSpace(body));
}

/** Done for every mail: looks at each byte once, and copies what lies between two changes at once. */
function withoutExtraSpace(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length);
  let written = 0;
  let copied = 0;
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i];
    if (byte !== SPACE && byte !== TAB) continue;
    const from = i;
    while (body[i + 1] === SPACE || body[i + 1] === TAB) i += 1;
    const atLineEnd = i + 1 === body.length || (body[i + 1] === CR && body[i + 2] === LF);
    if (byte === SPACE && i === from && !atLineEnd) continue;
    written += body.copy(out, written, copied, from);
    copied = i + 1;
    if (atLineEnd) continue;
    out[written] = SPACE;
    written += 1;
  }
  if (copied === 0) return body;
  written += body.copy(out, written, copied);
  return out.subarray(0, written);
}

function withOneLineEnd(lines: Buffer): Buffer {
  let end = lines.length;
  while (end > 1 && lines[end - 2] === CR && lines[end - 1] === LF) end -= 2;
  if (end === 0) return Buffer.alloc(0);
  return end < lines.length ? lines.subarray(0, end + 2) : Buffer.concat([lines, CRLF]);
}

/** The value of `bh=` (RFC 6376 3.7): SHA-256 of the relaxed body, in base64. */
export function bodyHash(body: Buffer): string {
  return createHash('sha256').update(relaxedBody(body)).digest('base64');
}
