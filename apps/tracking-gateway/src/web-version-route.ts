import { verifyToken } from '@postloop/mail-domain';
import type { FastifyInstance } from 'fastify';
import { NEUTRAL, send, sendPage } from './answers.js';
import type { GatewayDeps } from './gateway-deps.js';
import { PLAIN_PAGE_POLICY, plainPage } from './plain-page.js';

const GONE = plainPage('No longer here', '<p>This e-mail is no longer available as a page.</p>');
const LATER = plainPage('One moment', '<p>This page cannot be shown right now. Please try again in a few minutes.</p>');
const RETRY_AFTER_SECONDS = '60';

/** Author's pictures and styles, from wherever they are; no script, form or frame, and an origin of its own. */
const POLICY = [
  "default-src 'none'",
  'img-src http: https: data:',
  "style-src 'unsafe-inline' http: https:",
  'font-src http: https: data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  'sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation',
].join('; ');

/** `GET /w/TOKEN`: the mail as a page, as it was sent to that recipient (spec 7). To look at it is no open. */
export function addWebVersionRoute(app: FastifyInstance, deps: GatewayDeps): void {
  app.get<{ Params: { token: string } }>('/w/:token', async (request, reply) => {
    const token = verifyToken(deps.keyring, 'webVersion', request.params.token);
    if (!token) return send(reply, NEUTRAL);
    const found = await deps.findPage(token.mailingId, token.recipientId);
    switch (found.state) {
      case 'known':
        return sendPage(reply, found.html, POLICY);
      case 'gone':
        return sendPage(reply, GONE, PLAIN_PAGE_POLICY, 410);
      case 'unavailable':
        return sendPage(reply.header('retry-after', RETRY_AFTER_SECONDS), LATER, PLAIN_PAGE_POLICY, 503);
    }
  });
}
