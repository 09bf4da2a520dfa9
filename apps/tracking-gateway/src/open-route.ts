import { verifyToken } from '@postloop/mail-domain';
import type { FastifyInstance } from 'fastify';
import { sendBusy, sendNeutral, sendPixel } from './answers.js';
import { newEventId } from './event-id.js';
import type { GatewayDeps } from './gateway-deps.js';
import { isLookAhead } from './prefetch.js';
import { spoolEvent } from './spool-event.js';

/** `GET /o/TOKEN`: the pixel of a mail. Without a place for the event there is no picture either. */
export function addOpenRoute(app: FastifyInstance, deps: GatewayDeps): void {
  app.get<{ Params: { token: string } }>('/o/:token', async (request, reply) => {
    const token = verifyToken(deps.keyring, 'pixel', request.params.token);
    if (!token) return sendNeutral(reply);
    if (isLookAhead(request)) return sendPixel(reply, deps.metrics);
    const durable = await spoolEvent(deps, request, { kind: 'open', token, id: newEventId });
    return durable ? sendPixel(reply, deps.metrics) : sendBusy(reply);
  });
}
