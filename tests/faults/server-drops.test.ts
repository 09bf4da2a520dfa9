import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { acceptedAddresses, balanceOf } from '../support/balance.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps, env: { SMTP_CONNECTIONS: '2' } });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.stack.inbox.behaveNormally());

it('a server that takes the message and drops the connection instead of answering: unknown, never sent again', async () => {
  const client = await addClient(world, 'answer-lost');
  world.stack.inbox.behave({ match: /^p[357]@answer-lost/, drop: 'after-250-lost' });
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 40)));

  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 3 });
  expect(acceptedAddresses(world.stack.inbox)).toContain('p3@answer-lost.example');
});

it.each(['after-dot', 'before-dot'] as const)(
  'a server that drops the message %s: unknown all the same, for the dot was on its way and nobody can tell',
  async (drop) => {
    const client = await addClient(world, drop);
    world.stack.inbox.behave({ match: /^p[357]@/, drop });
    const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 40)));

    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 3 });
    expect(acceptedAddresses(world.stack.inbox)).not.toContain(`p3@${drop}.example`);
  },
);

it.each(['mail', 'rcpt'] as const)(
  'a server that says 421 to %s: nothing was handed over, and it goes out later',
  async (at) => {
    const client = await addClient(world, `closing-${at}`);
    world.stack.inbox.behave({ match: /^p[357]@/, reply: { at, code: 421, text: '4.3.2 shutting down' }, times: 4 });
    const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 40)));

    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
    expect(acceptedAddresses(world.stack.inbox)).toContain(`p3@closing-${at}.example`);
  },
);
