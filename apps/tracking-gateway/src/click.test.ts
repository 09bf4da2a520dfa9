import { sealTarget } from '@postloop/mail-domain';
import { describe, expect, it } from 'vitest';
import type { FoundTarget } from './find-target.js';
import { MAILING_ID, openTestGateway, RECIPIENT_ID } from './testing/gateway-fixture.js';

const leadingTo = (target: FoundTarget) => ({ findTarget: async () => target });
const shop = leadingTo({ state: 'known', url: 'https://shop.example/?a=1&b=%20#top' });

describe('a click', () => {
  it('leads to the target of the link, and is recorded', async () => {
    const asked: unknown[] = [];
    const gateway = openTestGateway({
      findTarget: async (...link) => {
        asked.push(link);
        return shop.findTarget();
      },
    });
    const answer = await gateway.app.inject(`/c/${gateway.token('click', 3)}`);
    expect(answer.statusCode).toBe(302);
    expect(answer.headers).toMatchObject({
      location: 'https://shop.example/?a=1&b=%20#top',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(asked).toEqual([[MAILING_ID, 3]]);
    expect(gateway.spooled).toMatchObject([{ kind: 'click', recipientId: RECIPIENT_ID, ordinal: 3 }]);
  });

  it('on a personalised link needs no look-up', async () => {
    const gateway = openTestGateway(leadingTo({ state: 'unavailable' }));
    const token = gateway.token('click', 4);
    const sealed = sealTarget(gateway.keyring, token, `https://shop.example/u/${'ü'.repeat(2_000)}`);
    const answer = await gateway.app.inject(`/c/${token}/${sealed}`);
    expect(answer.statusCode).toBe(302);
    expect(await gateway.registry.metrics()).toContain('answers_total{route="personalised_click",code="302"} 1');
    expect(answer.headers.location).toBe(`https://shop.example/u/${'%C3%BC'.repeat(2_000)}`);
    expect(gateway.spooled).toMatchObject([{ kind: 'click', ordinal: 4 }]);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example',
    'https://',
    'https://a.example/\r\nSet-Cookie: a=b',
  ])('never leads to %j', async (url) => {
    const gateway = openTestGateway(leadingTo({ state: 'known', url }));
    const token = gateway.token('click', 4);
    const answers = await Promise.all([
      gateway.app.inject(`/c/${token}`),
      gateway.app.inject(`/c/${token}/${sealTarget(gateway.keyring, token, url)}`),
    ]);
    for (const answer of answers) {
      expect(answer.statusCode).toBe(404);
      expect(answer.headers).not.toHaveProperty('location');
    }
  });

  it('is kept when nobody knows the target because the database is away', async () => {
    const gateway = openTestGateway(leadingTo({ state: 'unavailable' }));
    const answer = await gateway.app.inject(`/c/${gateway.token('click', 3)}`);
    expect(answer.statusCode).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(gateway.spooled).toHaveLength(1);
  });

  it('leads on although the event is lost, and the loss is counted', async () => {
    const gateway = openTestGateway({ ...shop, spoolFails: true });
    const answer = await gateway.app.inject(`/c/${gateway.token('click', 3)}`);
    expect(answer.statusCode).toBe(302);
    expect(await gateway.registry.metrics()).toContain('postloop_gateway_events_lost_total{kind="click"} 1');
  });

  it('is none when a program looks ahead, which is led on all the same', async () => {
    const gateway = openTestGateway(shop);
    const url = `/c/${gateway.token('click', 3)}`;
    const head = await gateway.app.inject({ method: 'HEAD', url });
    const prefetch = await gateway.app.inject({ url, headers: { 'sec-purpose': 'prefetch' } });
    expect([head.statusCode, prefetch.statusCode, gateway.spooled.length]).toEqual([302, 302, 0]);
    expect(await gateway.registry.metrics()).not.toMatch(/events_lost_total\{[^}]*\} [1-9]/);
  });
});
