import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MAILING_ID, openTestGateway, RECIPIENT_ID } from './testing/gateway-fixture.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const ONE_CLICK = 'List-Unsubscribe=One-Click';

describe('the unsubscribe page', () => {
  it('asks, loads nothing from elsewhere, and says nothing of the recipient', async () => {
    const { app, spooled, token } = openTestGateway();
    const text = token('unsubscribe', 2);
    const answer = await app.inject(`/u/${text}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.body).toMatch(/<form method="post">[\s\S]*<button type="submit">/);
    expect(answer.body).not.toMatch(/https?:|src=|href=|<script/);
    for (const secret of [text, `${MAILING_ID}`, `${RECIPIENT_ID}`]) expect(answer.body).not.toContain(secret);
    const style = /<style>([\s\S]*)<\/style>/.exec(answer.body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(answer.headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(spooled).toEqual([]);
  });

  it('is never an unsubscribe, whatever the query says', async () => {
    const { app, spooled, token } = openTestGateway();
    await app.inject(`/u/${token('unsubscribe', 2)}?${ONE_CLICK}`);
    await app.inject({ method: 'HEAD', url: `/u/${token('unsubscribe', 2)}` });
    expect(spooled).toEqual([]);
  });
});

describe('a one-click request', () => {
  it('unsubscribes once, however often it comes: the event has one ID', async () => {
    const { app, spooled, token } = openTestGateway();
    const url = `/u/${token('unsubscribe', 2)}`;
    for (let n = 0; n < 2; n += 1) {
      const answer = await app.inject({ method: 'POST', url, headers: FORM, payload: ONE_CLICK });
      expect([answer.statusCode, answer.body]).toEqual([200, 'You have been unsubscribed.\n']);
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
    const [first, second] = spooled;
    expect(first).toMatchObject({ kind: 'unsubscribe', mailingId: MAILING_ID, recipientId: RECIPIENT_ID, ordinal: 2 });
    expect(second?.id).toBe(first?.id);
  });

  it('may be multipart/form-data', async () => {
    const { app, spooled, token } = openTestGateway();
    const form = new FormData();
    form.set('List-Unsubscribe', 'One-Click');
    const { headers, body } = new Request('http://localhost', { method: 'POST', body: form }) as Request;
    const payload = Buffer.from(await new Response(body).arrayBuffer());
    const url = `/u/${token('unsubscribe', 2)}`;
    const type = headers.get('content-type') ?? '';
    const answer = await app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload });
    expect([answer.statusCode, spooled.length]).toEqual([200, 1]);
  });

  it.each([
    ['nothing', {}, ''],
    ['another field', FORM, 'List-Unsubscribe=Maybe'],
    ['JSON', { 'content-type': 'application/json' }, '{"List-Unsubscribe":'],
    ['too much', FORM, `${ONE_CLICK}&x=${'x'.repeat(10_000)}`],
  ])('that says %s changes nothing', async (_name, headers, payload) => {
    const { app, spooled, token } = openTestGateway();
    const answer = await app.inject({ method: 'POST', url: `/u/${token('unsubscribe', 2)}`, headers, payload });
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode).toBeLessThan(500);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(spooled).toEqual([]);
  });

  it('is not confirmed when it cannot be kept', async () => {
    const { app, token } = openTestGateway({ spoolFails: true });
    const url = `/u/${token('unsubscribe', 2)}`;
    const answer = await app.inject({ method: 'POST', url, headers: FORM, payload: ONE_CLICK });
    expect(answer.statusCode).toBe(503);
    expect(answer.body).not.toContain('unsubscribed');
  });
});
