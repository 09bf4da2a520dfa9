import type { RecordedEvent } from '@postloop/db';
import { classifyEvent, describeUserAgent } from '@postloop/mail-domain';
import type { SpooledEvent } from './spooled-event.js';

/** An event with what its user agent tells. Done when it is recorded, so that no answer waits for it. */
export function describeEvent(event: SpooledEvent): RecordedEvent {
  const { id, kind, mailingId, recipientId, ordinal, occurredAtMs, userAgent } = event;
  const { verdict, rule } = judge(event);
  return {
    id,
    kind,
    mailingId,
    recipientId,
    linkOrdinal: ordinal,
    occurredAt: new Date(occurredAtMs),
    ...describeUserAgent(userAgent),
    verdict,
    verdictRule: rule,
    userAgent,
  };
}

function judge({ kind, userAgent, method }: SpooledEvent): { verdict: RecordedEvent['verdict']; rule: string } {
  // One-click requests come from the mailbox provider's servers: their user agent says nothing about the person.
  if (kind === 'unsubscribe') return { verdict: 'unknown', rule: 'unsubscribe' };
  return classifyEvent({ kind, userAgent, method });
}
