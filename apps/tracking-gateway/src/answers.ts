import { killPoint } from '@postloop/service-kit';
import type { FastifyReply } from 'fastify';
import type { Metrics } from './metrics.js';

/** A transparent GIF of one pixel, one character a byte: text goes to the socket in one write with the head. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64').toString('latin1');
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

const PIXEL_HEAD = fields({ ...COMMON, 'content-type': 'image/gif', 'content-length': String(PIXEL.length) });
const REDIRECT_HEAD = fields({ ...COMMON, 'content-type': TEXT, 'content-length': '0' });

export function sendPixel(reply: FastifyReply, { answers }: Pick<Metrics, 'answers'>): FastifyReply {
  answers.inc({ route: 'open', code: '200' });
  return sendDirectly(reply, 200, PIXEL_HEAD, PIXEL);
}

/** @param location what `safeWebUrl` made */
export function sendRedirect(
  reply: FastifyReply,
  { answers }: Pick<Metrics, 'answers'>,
  route: 'click' | 'personalised_click',
  location: string,
): FastifyReply {
  answers.inc({ route, code: '302' });
  return sendDirectly(reply, 302, [...REDIRECT_HEAD, 'location', location], '');
}

/** Past Fastify's reply, its hooks and headers: nearly all requests end here, and those cost a quarter of one. */
function sendDirectly(reply: FastifyReply, code: number, head: string[], body: string): FastifyReply {
  reply.hijack();
  reply.raw.writeHead(code, head).end(body, 'latin1');
  killPoint('gateway.after-answer');
  return reply;
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

/** As `writeHead` takes them fastest: names and values in turn. */
function fields(headers: Record<string, string>): string[] {
  return Object.entries(headers).flat();
}
