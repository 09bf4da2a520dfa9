/** Index just after the header's empty line (RFC 5322, 2.1), or -1 when it has not come yet. */
export function endOfHeader(message: Buffer): number {
  if (message.subarray(0, 2).equals(CRLF)) return 2;
  const at = message.indexOf('\r\n\r\n');
  return at === -1 ? -1 : at + 4;
}

/** The first Message-ID of a message, unfolded, with its angle brackets; null when it has none. */
export function messageIdOf(message: Buffer): string | null {
  const end = endOfHeader(message);
  const header = message.subarray(0, end === -1 ? message.length : end).toString('latin1');
  const found = /^message-id:[ \t]*((?:[^\r\n]|\r\n[ \t])*)/im.exec(header);
  return found?.[1]?.replace(/\r\n[ \t]/g, '').trim() || null;
}

const CRLF = Buffer.from('\r\n');
