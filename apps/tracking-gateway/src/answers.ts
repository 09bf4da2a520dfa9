import type { FastifyReply } from 'fastify';

/** A transparent GIF of one pixel. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const TEXT = 'text/plain; charset=utf-8';
const RETRY_AFTER_SECONDS = '10';

// On every answer. Nothing that stands between may keep it, and where a link leads never learns of the token.
const COMMON = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/**
 * The one answer to everything that is not a valid link: unknown paths and methods, forged, cut or foreign tokens. The
 * same bytes for all, so that it tells nobody how near a guess was.
 */
export function sendNeutral(reply: FastifyReply): FastifyReply {
  return reply.code(404).headers(COMMON).type(TEXT).send('Not found\n');
}

export function sendPixel(reply: FastifyReply): FastifyReply {
  return reply.code(200).headers(COMMON).type('image/gif').send(PIXEL);
}

/** @param location what `safeWebUrl` made */
export function sendRedirect(reply: FastifyReply, location: string): FastifyReply {
  return reply.code(302).headers(COMMON).header('location', location).type(TEXT).send('');
}

/** A page that brings its own content security policy. */
export function sendPage(reply: FastifyReply, html: string, contentSecurityPolicy: string, code = 200): FastifyReply {
  const headers = { ...COMMON, 'content-security-policy': contentSecurityPolicy };
  return reply.code(code).headers(headers).type('text/html; charset=utf-8').send(html);
}

export function sendText(reply: FastifyReply, code: number, text: string): FastifyReply {
  return reply.code(code).headers(COMMON).type(TEXT).send(`${text}\n`);
}

/** Not at the moment: the browser, the mailbox provider or the person may try again. */
export function sendBusy(reply: FastifyReply): FastifyReply {
  return sendText(reply.header('retry-after', RETRY_AFTER_SECONDS), 503, 'Please try again in a moment.');
}
