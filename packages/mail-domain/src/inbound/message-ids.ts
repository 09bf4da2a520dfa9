const MESSAGE_ID = /<([^<>\s]{3,250})>/;

/** @param value of a Message-ID, In-Reply-To or References field, or any text; its first ID without brackets, else null */
export function firstMessageId(value: string): string | null {
  const found = MESSAGE_ID.exec(value.slice(0, 5_000))?.[1];
  if (found?.includes('@')) return printable(found);
  // Some servers repeat the ID without its brackets.
  const bare = /^\s*([^<>\s@]{1,200}@[^<>\s@]{1,200})\s*$/.exec(value.slice(0, 500))?.[1];
  return bare === undefined ? null : printable(bare);
}

/** References go from the oldest to the one that was answered (RFC 5322 3.6.4). */
export function lastMessageId(value: string): string | null {
  const all = value.slice(-5_000).split('<');
  return firstMessageId(`<${all.at(-1) ?? ''}`);
}

function printable(id: string): string | null {
  return /^[\x21-\x7e]+$/.test(id) ? id : null;
}
