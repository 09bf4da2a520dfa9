import { openTarget, safeWebUrl, type TokenContent, verifyToken } from '@postloop/mail-domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { afterAnswer } from './after-answer.js';
import { sendBusy, sendNeutral, sendRedirect } from './answers.js';
import { newEventId } from './event-id.js';
import type { FoundTarget } from './find-target.js';
import type { GatewayDeps } from './gateway-deps.js';
import { isLookAhead } from './prefetch.js';
import { spoolEvent } from './spool-event.js';

/**
 * `GET /c/TOKEN`: a click on a link whose target is the same for all; `GET /c/TOKEN/SEALED`: one whose target was made
 * for the recipient and travels along encrypted, so it needs no database.
 */
export function addClickRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  app.get<{ Params: { token: string } }>('/c/:token', { onResponse: afterAnswer }, async (request, reply) => {
    const token = verifyToken(deps.keyring, 'click', request.params.token);
    if (!token) return sendNeutral(reply);
    return answerClick(deps, request, reply, token, deps.findTarget(token.mailingId, token.ordinal));
  });
  app.get<{ Params: { token: string; sealed: string } }>(
    '/c/:token/:sealed',
    { onResponse: afterAnswer },
    async (request, reply) => {
      const token = verifyToken(deps.keyring, 'click', request.params.token);
      const url = token && openTarget(deps.keyring, request.params.token, request.params.sealed);
      if (!token || url === null) return sendNeutral(reply);
      return answerClick(deps, request, reply, token, Promise.resolve({ state: 'known', url }));
    },
  );
}

async function answerClick(
  deps: GatewayDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  token: TokenContent,
  target: Promise<FoundTarget>,
): Promise<FastifyReply> {
  const [found, durable] = await Promise.all([
    target,
    isLookAhead(request) || spoolEvent(deps, request, { kind: 'click', token, id: newEventId }),
  ]);
  // Nobody is left standing because our disk is full: the click is lost, and counted and logged as lost.
  if (!durable) deps.metrics.eventsLost.inc({ kind: 'click' });
  if (found.state === 'unavailable') return sendBusy(reply);
  const location = found.state === 'known' ? safeWebUrl(found.url) : null;
  return location === null ? sendNeutral(reply) : sendRedirect(reply, location);
}
