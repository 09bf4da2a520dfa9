import { expect, it } from 'vitest';
import { describeEvent } from './describe-event.js';
import type { SpooledEvent } from './spooled-event.js';
import { MAILING_ID, NOW, RECIPIENT_ID } from './testing/gateway-fixture.js';

const seen = (more: Partial<SpooledEvent>) =>
  describeEvent({
    id: '01900000-0000-7000-8000-000000000001',
    kind: 'open',
    mailingId: MAILING_ID,
    recipientId: RECIPIENT_ID,
    ordinal: 1,
    occurredAtMs: NOW.getTime(),
    method: 'GET',
    userAgent: 'Mozilla/5.0',
    ...more,
  });

it('judges the same program by what it does, each time again', () => {
  for (let n = 0; n < 2; n += 1) {
    expect(seen({})).toMatchObject({ verdict: 'privacy_proxy', verdictRule: 'bare-mozilla-open' });
    expect(seen({ kind: 'click' })).toMatchObject({ verdict: 'unknown', verdictRule: 'bare-mozilla-click' });
    expect(seen({ method: 'HEAD' })).toMatchObject({ verdict: 'scanner', verdictRule: 'head-request' });
    expect(seen({ kind: 'unsubscribe', method: 'POST' })).toMatchObject({
      verdict: 'unknown',
      verdictRule: 'unsubscribe',
    });
    expect(seen({ userAgent: null })).toMatchObject({ verdictRule: 'no-user-agent', userAgent: null });
  }
});

it('tells events apart that the same program makes', () => {
  const [first, second] = [seen({ recipientId: 1n }), seen({ recipientId: 2n, occurredAtMs: 0 })];
  expect([first.recipientId, second.recipientId, second.occurredAt]).toEqual([1n, 2n, new Date(0)]);
});
