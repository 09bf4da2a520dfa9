import { join } from 'node:path';
import { freePort, type SmtpInbox, startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptedAddresses, balanceOf } from '../support/balance.js';
import { until } from '../support/until.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

// A mail server that says no. It is the relay's, but for one test; the default transport's goes on as ever.

/** Stands for an hour of refusals. */
const PATIENCE = Array(40).fill('1').join(',');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let world: World;
let relay: SmtpInbox;
let relayPort: number;
beforeAll(async () => {
  directory = await temporaryDirectory();
  relayPort = await freePort();
  relay = await startRelay();
  world = await openWorld({
    apps: sendingApps,
    env: {
      SMTP_CONNECTIONS: '2',
      BATCH_SIZE: '20',
      RETRY_SCHEDULE: PATIENCE,
      SMTP_TRANSPORTS: JSON.stringify({ relay: { url: `smtp://127.0.0.1:${relayPort}`, connections: 2 } }),
    },
  });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await relay?.stop();
  await directory?.[Symbol.asyncDispose]();
});

const startRelay = () => startSmtpInbox({ dir: join(directory.path, 'relay'), port: relayPort });

it('greylisting: who is refused once is tried again by the schedule, and everybody gets the mail', async () => {
  const client = await addClient(world, 'grey');
  const rows = rowsFor(client, 40);
  for (const [email] of rows)
    world.stack.inbox.behave({
      match: new RegExp(`^${email}$`),
      reply: { at: 'rcpt', code: 451, text: '4.7.1 greylisted, come back later' },
      times: 1,
    });
  const mailings = await untilSent(world, client, await upload(world, client, rows));

  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  const { rows: tried } = await world.db.pool.query('SELECT DISTINCT attempts FROM delivery WHERE mailing_id = $1', [
    mailings[0],
  ]);
  expect(tried).toEqual([{ attempts: 2 }]);
  world.stack.inbox.behaveNormally();
});

it('one of many refused with 5xx: that one is final and comes back as a response, the others get theirs', async () => {
  const client = await addClient(world, 'refusals');
  world.stack.inbox.behave({ match: /^p2@refusals/, reply: { at: 'rcpt', code: 550, text: '5.1.1 no such user' } });
  world.stack.inbox.behave({ match: /^p3@refusals/, reply: { at: 'data', code: 552, text: '5.2.2 mailbox full' } });
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 40)));
  world.stack.inbox.behaveNormally();

  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  const { rows } = await world.db.pool.query(
    `SELECT r.email, d.status, d.attempts, p.category, p.status_code FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
       LEFT JOIN response p ON p.mailing_id = r.mailing_id AND p.recipient_id = r.id
      WHERE r.mailing_id = $1 AND d.status <> 'sent' ORDER BY r.email`,
    [mailings[0]],
  );
  const refused = { status: 'could_not_be_sent', attempts: 1 };
  expect(rows).toEqual([
    { ...refused, email: 'p2@refusals.example', category: 'fatal_bounce', status_code: '5.1.1' },
    { ...refused, email: 'p3@refusals.example', category: 'bounce', status_code: '5.2.2' },
  ]);
});

it('4xx to the end of the schedule: given up, as a soft bounce', async () => {
  await world.house.app('sender-workers').stop();
  await world.house.start('sender-workers', { env: { RETRY_SCHEDULE: '1,1' } });
  const client = await addClient(world, 'never');
  world.stack.inbox.behave({ match: /^p1@never/, reply: { at: 'rcpt', code: 452, text: '4.2.2 over quota' } });
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 5)));
  world.stack.inbox.behaveNormally();
  const { rows } = await world.db.pool.query(
    `SELECT d.status, d.attempts, p.category FROM delivery d JOIN response p ON p.mailing_id = d.mailing_id AND p.recipient_id = d.recipient_id
      WHERE d.mailing_id = $1`,
    [mailings[0]],
  );
  expect(rows).toEqual([{ status: 'could_not_be_sent', attempts: 3, category: 'temporary_bounce' }]);
  await world.house.app('sender-workers').stop();
  await world.house.start('sender-workers');
});

it.each([
  ['answers 451 to everybody', 'busy', () => refusing('mail', 451)],
  ['closes every connection at once', 'closing', () => refusing('rcpt', 421)],
  [
    'sends everybody away at the door',
    'full',
    async () => {
      await relay.stop();
      relay = await startRelay();
      refusing('connect', 421);
    },
  ],
  ['is not there', 'gone', () => relay.stop()],
])(
  'a server that %s for an hour and comes back: all get their mail, once, and nobody else waits',
  async (_what, name, fail) => {
    const client = await addClient(world, name, [{}], { transport: 'relay' });
    const other = await addClient(world, `beside-${name}`);
    await fail();
    const file = await upload(world, client, rowsFor(client, 200));
    await until('the sender works on them', async () => {
      const { rows } = await world.db.pool.query(
        `SELECT 1 FROM send_batch b JOIN mailing m ON m.id = b.mailing_id WHERE m.client_id = $1 AND b.status <> 'queued'`,
        [client.id],
      );
      return rows.length > 0 || undefined;
    });
    const beside = await untilSent(world, other, await upload(world, other, rowsFor(other, 200)));
    expect(await balanceOf(world, beside)).toEqual({ missing: 0, twice: 0, unknown: 0 });
    expect(addressesAt(name)).toBe(0);

    if (name === 'gone') relay = await startRelay();
    relay.behaveNormally();
    const mailings = await untilSent(world, client, file);
    expect(await balanceOf(world, mailings, relay)).toEqual({ missing: 0, twice: 0, unknown: 0 });
    expect(addressesAt(name)).toBe(200);
  },
);

function refusing(at: 'connect' | 'mail' | 'rcpt', code: number): void {
  relay.behave({ reply: { at, code, text: '4.3.2 not now' } });
}

function addressesAt(name: string): number {
  return [...acceptedAddresses(relay)].filter((address) => address.endsWith(`@${name}.example`)).length;
}
