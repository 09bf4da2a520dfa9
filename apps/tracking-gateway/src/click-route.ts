import { openTarget, safeWebUrl, type TokenContent, verifyToken } from '@postloop/mail-domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
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
  app.get<{ Params: { token: string } }>('/c/:token', async (request, reply) => {
    const token = verifyToken(deps.keyring, 'click', request.params.token);
    if (!token) return sendNeutral(reply);
    const found = deps.findTarget(token.mailingId, token.ordinal);
    await keepClick(deps, request, token);
    return lead(deps, reply, 'click', await found);
  });
  app.get<{ Params: { token: string; sealed: string } }>('/c/:token/:sealed', async (request, reply) => {
    const token = verifyToken(deps.keyring, 'click', request.params.token);
    const url = token && openTarget(deps.keyring, request.params.token, request.params.sealed);
    if (!token || url === null) return sendNeutral(reply);
    await keepClick(deps, request, token);
    return lead(deps, reply, 'personalised_click', { state: 'known', url });
  });
}

/** Nobody is left standing because our disk is full: the click is lost, and counted and logged as lost. */
async function keepClick(deps: GatewayDeps, request: FastifyRequest, token: TokenContent): Promise<void> {
  if (isLookAhead(request)) return;
  const durable = await spoolEvent(deps, request, { kind: 'click', token, id: newEventId });
  if (!durable) deps.metrics.eventsLost.inc({ kind: 'click' });
}

function lead(
  { metrics }: GatewayDeps,
  reply: FastifyReply,
  route: 'click' | 'personalised_click',
  found: FoundTarget,
): FastifyReply {
  if (found.state === 'unavailable') return sendBusy(reply);
  const location = found.state === 'known' ? safeWebUrl(found.url) : null;
  return location === null ? sendNeutral(reply) : sendRedirect(reply, metrics, route, location);
}
