import { verifyToken } from '@postloop/mail-domain';
import { type Answer, BUSY, NEUTRAL, PIXEL } from './answers.js';
import { newEventId } from './event-id.js';
import type { GatewayDeps } from './gateway-deps.js';
import { isLookAhead, type Visit } from './prefetch.js';
import { spoolEvent } from './spool-event.js';

/** `GET /o/TOKEN`: the pixel of a mail. Without a place for the event there is no picture either. */
export async function answerOpen(deps: GatewayDeps, visit: Visit, text: string): Promise<Answer> {
  const token = verifyToken(deps.keyring, 'pixel', text);
  if (!token) return NEUTRAL;
  if (isLookAhead(visit)) return PIXEL;
  return (await spoolEvent(deps, visit, { kind: 'open', token, id: newEventId })) ? PIXEL : BUSY;
}
