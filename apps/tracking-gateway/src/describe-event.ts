import type { RecordedEvent } from '@postloop/db';
import { classifyEvent, describeUserAgent } from '@postloop/mail-domain';
import type { SpooledEvent } from './spooled-event.js';

/** What an event's user agent tells, with the verdict. */
type Description = Pick<RecordedEvent, 'browser' | 'platform' | 'device' | 'verdict' | 'verdictRule'>;

/** The same few thousand programs make most requests, and judging one costs more than the rest of the event. */
const known = new Map<string, Description>();
const MOST_KNOWN = 10_000;

/** An event with what its user agent tells. Done when it is recorded, so that no answer waits for it. */
export function describeEvent(event: SpooledEvent): RecordedEvent {
  const { id, kind, mailingId, recipientId, ordinal, occurredAtMs, method, userAgent } = event;
  const key = `${kind} ${method} ${userAgent ?? ''}`;
  let description = known.get(key);
  if (!description) {
    description = describe(event);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, description);
  }
  return {
    id,
    kind,
    mailingId,
    recipientId,
    linkOrdinal: ordinal,
    occurredAt: new Date(occurredAtMs),
    browser: description.browser,
    platform: description.platform,
    device: description.device,
    verdict: description.verdict,
    verdictRule: description.verdictRule,
    userAgent,
  };
}

function describe({ kind, userAgent, method }: SpooledEvent): Description {
  // One-click requests come from the mailbox provider's servers: their user agent says nothing about the person.
  const { verdict, rule } =
    kind === 'unsubscribe'
      ? { verdict: 'unknown' as const, rule: 'unsubscribe' }
      : classifyEvent({ kind, userAgent, method });
  const { browser, platform, device } = describeUserAgent(userAgent);
  return { browser, platform, device, verdict, verdictRule: rule };
}
