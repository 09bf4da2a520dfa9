import { describe, expect, it } from 'vitest';
import { MAILING_ID, NOW, openTestGateway, RECIPIENT_ID } from './testing/gateway-fixture.js';

describe('the pixel', () => {
  it('is a picture that nothing keeps, and an open', async () => {
    const { app, spooled, token } = openTestGateway();
    const answer = await app.inject({ url: `/o/${token('pixel', 1)}`, headers: { 'user-agent': 'Thunderbird' } });
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.subarray(0, 6).toString()).toBe('GIF89a');
    expect(answer.headers).toMatchObject({
      'content-type': 'image/gif',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(spooled).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: 'open',
        mailingId: MAILING_ID,
        recipientId: RECIPIENT_ID,
        ordinal: 1,
        occurredAtMs: NOW.getTime(),
        method: 'GET',
        userAgent: 'Thunderbird',
      },
    ]);
  });

  it('counts each time, with an ID of its own', async () => {
    const { app, spooled, token } = openTestGateway();
    for (let n = 0; n < 3; n += 1) await app.inject(`/o/${token('pixel', 1)}`);
    expect(new Set(spooled.map(({ id }) => id)).size).toBe(3);
  });

  it.each([{ 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }, { 'x-moz': 'prefetch' }])(
    'is no open when a browser looks ahead: %j',
    async (headers) => {
      const { app, spooled, token } = openTestGateway();
      const answer = await app.inject({ url: `/o/${token('pixel', 1)}`, headers });
      expect([answer.statusCode, spooled.length]).toEqual([200, 0]);
    },
  );

  it('is counted among the answers, as is one that is none', async () => {
    const { app, token, registry } = openTestGateway();
    for (const path of [token('pixel', 1), token('pixel', 1), 'junk']) await app.inject(`/o/${path}`);
    const metrics = await registry.metrics();
    expect(metrics).toContain('postloop_gateway_answers_total{route="open",code="200"} 2');
    expect(metrics).toContain('postloop_gateway_answers_total{route="open",code="404"} 1');
  });

  it('is no open when only the head is asked for', async () => {
    const { app, spooled, token } = openTestGateway();
    const answer = await app.inject({ method: 'HEAD', url: `/o/${token('pixel', 1)}` });
    expect([answer.statusCode, answer.body, spooled.length]).toEqual([200, '', 0]);
  });

  it('keeps 512 characters of a hostile user agent, and no control characters', async () => {
    const { app, spooled, token } = openTestGateway();
    const headers = { 'user-agent': `a\tb\u0085c"\\${'x'.repeat(9_000)}` };
    await app.inject({ url: `/o/${token('pixel', 1)}`, headers });
    expect(spooled[0]?.userAgent).toBe(`abc"\\${'x'.repeat(507)}`);
  });

  it('is refused when the event cannot be written', async () => {
    const { app, token, registry } = openTestGateway({ spoolFails: true });
    const answer = await app.inject(`/o/${token('pixel', 1)}`);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers).toHaveProperty('retry-after');
    expect(await registry.metrics()).toContain('postloop_gateway_answers_total{route="open",code="503"} 1');
  });
});
