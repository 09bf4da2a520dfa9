import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';

const PIXEL_GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
const TEXT = 'text/plain; charset=utf-8';
const RETRY_AFTER_SECONDS = '10';
const LATER = 'Please try again in a moment.\n';

// On every answer. Nothing that stands between may keep it, and where a link leads never learns of the token.
const COMMON = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** An answer that can go out by Fastify or in one write. */
export interface Answer {
  code: number;
  fields: Readonly<Record<string, string>>;
  /** Status line and fields as they go on the wire (RFC 9112 4 and 5), without those of length, date and connection. */
  head: string;
  /** One character a byte. */
  body: string;
  /** Stands in the head, too, not among the fields: those are the same for all redirects. */
  location?: string;
}

function answerOf(code: number, own: Record<string, string>, body: string): Answer {
  const fields = { ...COMMON, ...own };
  return { code, fields, head: `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\n${linesOf(fields)}`, body };
}

const linesOf = (fields: Record<string, string>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** A transparent GIF of one pixel. */
export const PIXEL = answerOf(
  200,
  { 'content-type': 'image/gif' },
  Buffer.from(PIXEL_GIF, 'base64').toString('latin1'),
);

/**
 * The one answer to everything that is not a valid link: unknown paths and methods, forged, cut or foreign tokens. The
 * same bytes for all, so that it tells nobody how near a guess was.
 */
export const NEUTRAL = answerOf(404, { 'content-type': TEXT }, 'Not found\n');

/** Not at the moment: the browser, the mailbox provider or the person may try again. */
export const BUSY = answerOf(503, { 'retry-after': RETRY_AFTER_SECONDS, 'content-type': TEXT }, LATER);

const REDIRECT = answerOf(302, { 'content-type': TEXT }, '');

/** @param location what `safeWebUrl` made */
export function redirectTo(location: string): Answer {
  const { code, fields, head, body } = REDIRECT;
  return { code, fields, head: `${head}location: ${location}\r\n`, body, location };
}

export function send(reply: FastifyReply, { code, fields, body, location }: Answer): FastifyReply {
  reply.code(code).headers(fields);
  if (location !== undefined) reply.header('location', location);
  return reply.send(Buffer.from(body, 'latin1'));
}

/** A page that brings its own content security policy. */
export function sendPage(reply: FastifyReply, html: string, contentSecurityPolicy: string, code = 200): FastifyReply {
  const headers = { ...COMMON, 'content-security-policy': contentSecurityPolicy };
  return reply.code(code).headers(headers).type('text/html; charset=utf-8').send(html);
}

export function sendText(reply: FastifyReply, code: number, text: string): FastifyReply {
  return reply.code(code).headers(COMMON).type(TEXT).send(`${text}\n`);
}
