import type { LinkParams } from './links.js';
import { LOOK_AHEAD_FIELDS, type Visit } from './prefetch.js';

/** A request for a link of a mail, of the form that nearly all have. */
export interface PlainRequest extends LinkParams {
  letter: string;
  visit: Visit;
}

/** Longer ones are rare, and HTTP servers have their own limit for them. */
const MAX_BYTES = 4_096;

/**
 * A whole GET and nothing behind it (RFC 9112 2.1). Names and values have only characters that they may have (RFC 9110 5.1 and
 * 5.5), and no line is folded.
 */
const PLAIN =
  /^GET \/([a-z])\/([\w-]+)(?:\/([\w-]+))? HTTP\/1\.1\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/;
/** Fields that say where a request ends or what becomes of its connection, and those of programs that look ahead. */
const SPECIAL = new RegExp(
  `\\r\\n(?:(?:content-length|transfer-encoding|te|trailer|expect|upgrade|proxy-connection|${LOOK_AHEAD_FIELDS.join('|')}):` +
    '|connection:(?![\\t ]*keep-alive[\\t ]*\\r))',
  'i',
);
const HOST = /\r\nhost:/i;
const USER_AGENT = /\r\nuser-agent:([^\r]*)/i;

/** @returns undefined when the bytes are anything else: for a real HTTP server to read */
export function readPlainRequest(bytes: Buffer): PlainRequest | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  const text = bytes.toString('latin1');
  const target = PLAIN.exec(text);
  if (!target?.[1] || !target[2] || SPECIAL.test(text) || !HOST.test(text)) return undefined;
  const visit = { method: 'GET', headers: { 'user-agent': USER_AGENT.exec(text)?.[1] } };
  return { letter: target[1], token: target[2], sealed: target[3], visit };
}
