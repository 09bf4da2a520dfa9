import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptedAddresses, balanceOf } from '../support/balance.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps, env: { SMTP_CONNECTIONS: '2' } });
});
afterAll(() => world[Symbol.asyncDispose]());

it('a server that takes the message and drops the connection instead of answering: unknown, never sent again', async () => {
  const client = await addClient(world, 'after-dot');
  world.stack.inbox.behave({ match: /^p[357]@after-dot/, drop: 'after-250-lost' });
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 40)));
  world.stack.inbox.behaveNormally();

  const balance = await balanceOf(world, mailings);
  expect(balance).toMatchObject({ missing: 0, twice: 0 });
  expect(balance.unknown).toBeGreaterThanOrEqual(3);
  expect(acceptedAddresses(world.stack.inbox)).toContain('p3@after-dot.example');
});

it('4xx is tried again by the schedule, 5xx is final and comes back as a response', async () => {
  const client = await addClient(world, 'refusals');
  world.stack.inbox.behave({
    match: /^p1@refusals/,
    reply: { at: 'rcpt', code: 451, text: '4.2.1 try later' },
    times: 2,
  });
  world.stack.inbox.behave({ match: /^p2@refusals/, reply: { at: 'rcpt', code: 550, text: '5.1.1 no such user' } });
  world.stack.inbox.behave({ match: /^p3@refusals/, reply: { at: 'data', code: 552, text: '5.2.2 mailbox full' } });
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 10)));
  world.stack.inbox.behaveNormally();

  const accepted = acceptedAddresses(world.stack.inbox);
  expect(accepted).toContain('p1@refusals.example');
  expect(accepted).not.toContain('p2@refusals.example');
  const { rows } = await world.db.pool.query(
    `SELECT r.email, d.status, p.category, p.status_code FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
       LEFT JOIN response p ON p.mailing_id = r.mailing_id AND p.recipient_id = r.id
      WHERE r.mailing_id = $1 AND d.status <> 'sent' ORDER BY r.email`,
    [mailings[0]],
  );
  expect(rows).toEqual([
    { email: 'p2@refusals.example', status: 'could_not_be_sent', category: 'fatal_bounce', status_code: '5.1.1' },
    { email: 'p3@refusals.example', status: 'could_not_be_sent', category: 'bounce', status_code: '5.2.2' },
  ]);
});
