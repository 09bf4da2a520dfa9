import { afterAll, beforeAll, expect, it } from 'vitest';
import { mailTo } from './support/mail.js';
import { addClient, openWorld, untilSent, upload, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const HTML = `<html><body title="{{ Salutation }}"><p id="name">{{ First name }}</p>
<a href="https://shop.example/?q={{ Last name }}">search</a> <a href="{{ Salutation }}">direct</a> <a href="{{ unsubscribe_url }}">leave</a></body></html>`;

it('a value stays a value wherever it stands', async () => {
  const client = await addClient(world, 'hostile', [{ subject: 'Hello {{ First name }}', html: HTML }]);
  const id = String(client.sources[0]);
  const rows = [
    ['script@hostile.example', id, null, '"><script>1</script>', '<script>alert(1)</script>', '{{ Email }}'],
    ['header@hostile.example', id, null, 'javascript:alert(1)', 'Eve\r\nBcc: all@shop.example\r\n\r\nbody', '"; x'],
    ['null@hostile.example', id, null, null, null, ''],
  ];
  await untilSent(world, client, await upload(world, client, rows));

  const script = await mailTo(world.stack.inbox, 'script@hostile.example');
  expect(script.html).toContain('<p id="name">&lt;script&gt;alert(1)&lt;/script&gt;</p>');
  expect(script.html).not.toMatch(/<script/i);
  expect(script.email.subject).toBe('Hello <script>alert(1)</script>');
  const target = await fetch(script.clicks[0] ?? '', { redirect: 'manual' });
  expect(target.headers.get('location')).toBe('https://shop.example/?q=%7B%7B%20Email%20%7D%7D');

  const header = await mailTo(world.stack.inbox, 'header@hostile.example');
  expect(header.email.bcc).toBeUndefined();
  expect(header.email.subject).toMatch(/^Hello Eve +Bcc: all@shop\.example +body$/);
  expect(header.html).not.toMatch(/href="\s*javascript:/i);
  expect(header.html).toMatch(/<a href="#">direct<\/a>/);
  expect((await fetch(header.clicks[0] ?? '', { redirect: 'manual' })).headers.get('location')).toBe(
    'https://shop.example/?q=%22%3B%20x',
  );

  expect((await mailTo(world.stack.inbox, 'null@hostile.example')).html).toContain('<p id="name"></p>');
});
