import { describeError } from '@postloop/contracts';
import type { TokenContent } from '@postloop/mail-domain';
import type { FastifyRequest } from 'fastify';
import type { GatewayDeps } from './gateway-deps.js';
import { cleanUserAgent, type EventKind, encodeEvent } from './spooled-event.js';

/** Puts what a recipient did into the spool. @returns true once it is on disk, false (and logged) when it cannot be */
export function spoolEvent(
  { spool, clock, metrics, log }: GatewayDeps,
  request: FastifyRequest,
  event: { kind: EventKind; token: TokenContent; id: (nowMs: number) => string },
): Promise<boolean> {
  const { kind, token } = event;
  const occurredAtMs = clock.now().getTime();
  const id = event.id(occurredAtMs);
  const userAgent = cleanUserAgent(request.headers['user-agent']);
  return spool.append(encodeEvent({ id, kind, ...token, occurredAtMs, method: request.method, userAgent })).then(
    () => {
      metrics.eventsSpooled.inc({ kind });
      return true;
    },
    (error: unknown) => {
      log.error({ error: describeError(error), id, kind, ...token }, 'an event could not be written to the spool');
      return false;
    },
  );
}
