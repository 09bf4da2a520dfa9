import { hash } from 'node:crypto';

const LF = 0x0a;
const CR = 0x0d;
const CRLF = Buffer.from('\r\n');

/**
 * The body as the algorithm "simple" sees it (RFC 6376 3.4.3): as it is, but for empty lines at its end; there is one CRLF
 * there, even when there is nothing else. Only CRLF ends a line.
 *
 * Not "relaxed", which ignores how much white space there is: bodies are quoted-printable and base64, where no line ends with
 * white space and none is too long, so that no server on the way has a reason to touch it, and looking at each byte would cost
 * more than hashing does.
 */
export function simpleBody(body: Buffer): Buffer {
  let end = body.length;
  while (end > 1 && body[end - 2] === CR && body[end - 1] === LF) end -= 2;
  return end < body.length ? body.subarray(0, end + CRLF.length) : Buffer.concat([body, CRLF]);
}

/** The value of `bh=` (RFC 6376 3.7): SHA-256 of the body as "simple" sees it, in base64. */
export function bodyHash(body: Buffer): string {
  return hash('sha256', simpleBody(body), 'base64');
}
