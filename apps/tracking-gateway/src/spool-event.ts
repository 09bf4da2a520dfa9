import { describeError } from '@postloop/contracts';
import type { TokenContent } from '@postloop/mail-domain';
import type { GatewayDeps } from './gateway-deps.js';
import type { Visit } from './prefetch.js';
import { cleanUserAgent, type EventKind, encodeEvent } from './spooled-event.js';

/** Puts what a recipient did into the spool. @returns true once it is on disk, false (and logged) when it cannot be */
export function spoolEvent(
  { spool, clock, metrics, log }: GatewayDeps,
  { method, headers }: Visit,
  event: { kind: EventKind; token: TokenContent; id: (nowMs: number) => string },
): Promise<boolean> {
  const { kind, token } = event;
  const occurredAtMs = clock.now().getTime();
  const id = event.id(occurredAtMs);
  const userAgent = cleanUserAgent(headers['user-agent']);
  const { mailingId, recipientId, ordinal } = token;
  const seen = { id, kind, mailingId, recipientId, ordinal, occurredAtMs, method, userAgent };
  return spool.append(encodeEvent(seen)).then(
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
