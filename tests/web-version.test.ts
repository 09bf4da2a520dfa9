import type { Row } from '@postloop/csv-dialect';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CONTENT_HOST, type ContentServer, contentEnv, startContentServer } from './support/content-server.js';
import { lay, poll } from './support/exchange.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
let server: ContentServer;
beforeAll(async () => {
  server = await startContentServer();
  world = await openWorld({ apps: [...sendingApps, 'tracking-gateway'], env: contentEnv });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const HTML = `<html><head><style>p{color:green}</style></head><body><p>Dear {{ First name }}, {{ "2026-11-21" | date: "%d. %B", "de" }}</p>
{% for p in Salutation | products %}<a href="https://shop.example/p/{{ p.id }}">{{ p.name }}</a>{% endfor %}
<img src="{{ Last name | picture }}" alt="yours"><a href="{{ web_version_url }}">in the browser</a> <a href="{{ unsubscribe_url }}">leave</a></body></html>`;

async function feed(client: TestClient, name: string, rows: Row[]): Promise<void> {
  await lay(world, client, name, rows, 'products');
  await poll(world, client);
  expect(await untilImported(world, client, name)).toMatchObject({ status: 'stored' });
}

async function sendOne(name: string): Promise<{ client: TestClient; html: string; page: string; mailingId: bigint }> {
  const settings = { content: { hosts: [CONTENT_HOST] } };
  const client = await addClient(world, name, [{ html: HTML }], { settings });
  server.answers.set('/ann.png', { type: 'image/png', body: PNG });
  await feed(client, '20260101000001_products.csv', [
    ['id', 'name'],
    ['1', 'Old slippers'],
  ]);
  const row = [`ann@${name}.example`, String(client.sources[0]), null, '1', 'Ann <b>', `${server.url}/ann.png`];
  const [mailingId = 0n] = await untilSent(world, client, await upload(world, client, [row]));
  const { html } = await mailTo(world.stack.inbox, `ann@${name}.example`);
  const page = /href="(http:\/\/[^"]+\/w\/[^"]+)"/.exec(html)?.[1] ?? '';
  return { client, html, page, mailingId };
}

const events = async (mailingId: bigint) =>
  (await world.db.pool.query('SELECT kind FROM event WHERE mailing_id = $1', [mailingId])).rows.map(({ kind }) => kind);

it('shows the mail as it was sent, whatever has become of products and content since, and is no open', async () => {
  const { client, html, page, mailingId } = await sendOne('same');
  await feed(client, '20260101000002_products.csv', [
    ['id', 'name'],
    ['1', 'New slippers'],
  ]);
  server.answers.delete('/ann.png');

  const answer = await fetch(page);
  const shown = await answer.text();
  expect(answer.status).toBe(200);
  expect(shown).toContain('<p>Dear Ann &lt;b&gt;, 21. November</p>');
  expect(shown).toContain('Old slippers');
  // The same but for the pixel, and for the picture, which stands in the page.
  const [, cid = ''] = /src="(cid:[^"]+)"/.exec(html) ?? [];
  const inPage = html.replace(cid, `data:image/png;base64,${PNG.toString('base64')}`);
  expect(shown.trim()).toBe(inPage.replace(/<img src="http:[^"]+\/o\/[^>]*>/, '').trim());

  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('x-robots-tag')).toContain('noindex');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/script-src|allow-scripts/);

  const head = await fetch(page, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect((await fetch(page, { method: 'POST' })).status).toBe(404);

  // A click on it counts as a click in the mail, and is recorded after the looks, which are not.
  const click = /href="([^"]+\/c\/[^"]+)"/.exec(shown)?.[1] ?? '';
  expect((await fetch(click, { redirect: 'manual' })).headers.get('location')).toBe('https://shop.example/p/1');
  await until('the click is recorded', async () => (await events(mailingId)).length > 0 || undefined);
  expect(await events(mailingId)).toEqual(['click']);
});

it('is gone, in a friendly way, once the recipient is recycled or erased, or the token is nobody’s', async () => {
  const { page, mailingId } = await sendOne('gone');
  const forged = `${page.slice(0, -3)}AAA`;
  const neutral = await fetch(`${world.house.publicUrl}/nothing`);
  const answer = await fetch(forged);
  expect([answer.status, await answer.text()]).toEqual([neutral.status, await neutral.text()]);

  await world.db.pool.query('UPDATE mailing_recipient SET email = NULL WHERE mailing_id = $1', [mailingId]);
  await expectGone(page);
  await world.db.pool.query(`UPDATE mailing_recipient SET email = 'ann@gone.example' WHERE mailing_id = $1`, [
    mailingId,
  ]);
  expect((await fetch(page)).status).toBe(200);
  await world.db.pool.query('UPDATE mailing SET recycled_at = now() WHERE id = $1', [mailingId]);
  await expectGone(page);
});

async function expectGone(page: string): Promise<void> {
  const answer = await fetch(page);
  expect(answer.status).toBe(410);
  expect(await answer.text()).toContain('no longer available');
  expect(answer.headers.get('x-robots-tag')).toContain('noindex');
}

it('asks for a moment while the database is away', async () => {
  const { page } = await sendOne('away');
  await world.stack.postgres.stop();
  const answer = await fetch(page);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('60');
  expect(await answer.text()).toContain('try again');
});
