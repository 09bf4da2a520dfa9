import { openTarget, safeWebUrl, type TokenContent, verifyToken } from '@postloop/mail-domain';
import { type Answer, BUSY, NEUTRAL, redirectTo } from './answers.js';
import { newEventId } from './event-id.js';
import type { FoundTarget } from './find-target.js';
import type { GatewayDeps } from './gateway-deps.js';
import { isLookAhead, type Visit } from './prefetch.js';
import { spoolEvent } from './spool-event.js';

/** `GET /c/TOKEN`: a click on a link whose target is the same for all. */
export async function answerClick(deps: GatewayDeps, visit: Visit, text: string): Promise<Answer> {
  const token = verifyToken(deps.keyring, 'click', text);
  if (!token) return NEUTRAL;
  const found = deps.findTarget(token.mailingId, token.ordinal);
  await keepClick(deps, visit, token);
  return lead(await found);
}

/** `GET /c/TOKEN/SEALED`: a target that was made for the recipient and travels along encrypted, so it needs no database. */
export async function answerPersonalisedClick(
  deps: GatewayDeps,
  visit: Visit,
  text: string,
  sealed: string,
): Promise<Answer> {
  const token = verifyToken(deps.keyring, 'click', text);
  const url = token && openTarget(deps.keyring, text, sealed);
  if (!token || url === null) return NEUTRAL;
  await keepClick(deps, visit, token);
  return lead({ state: 'known', url });
}

/** Nobody is left standing because our disk is full: the click is lost, and counted and logged as lost. */
async function keepClick(deps: GatewayDeps, visit: Visit, token: TokenContent): Promise<void> {
  if (isLookAhead(visit)) return;
  const durable = await spoolEvent(deps, visit, { kind: 'click', token, id: newEventId });
  if (!durable) deps.metrics.eventsLost.inc({ kind: 'click' });
}

function lead(found: FoundTarget): Answer {
  if (found.state === 'unavailable') return BUSY;
  const location = found.state === 'known' ? safeWebUrl(found.url) : null;
  return location === null ? NEUTRAL : redirectTo(location);
}
