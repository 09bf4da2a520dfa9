import { addSuppressions, resendToSoftBounces } from '@postloop/db';
import { answer, complaint, deliveryStatus, smtpSend } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptedAddresses } from './support/balance.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  type TestClient,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Mails `count` people of a new client; where the mail to each of them comes back to. */
async function mailed(name: string, count: number) {
  const client = await addClient(world, name);
  const mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, count)));
  const address = (i: number) => `p${i}@${name}.example`;
  const accepted = world.stack.inbox.journal().filter(({ type }) => type === 'accepted');
  const returnPath = (i: number) =>
    accepted.find(({ envelopeTo }) => envelopeTo.includes(address(i)))?.envelopeFrom ?? '';
  return { client, mailing: mailings[0] ?? 0n, address, returnPath };
}

/** What the server of one recipient says. */
const bounceOf = (to: string, recipient: string, status: string, diagnostic: string) =>
  deliveryStatus(to, [{ recipient, status, diagnostic }]);

const deliver = (to: string, message: string) => smtpSend(world.house.inboundUrl, { from: '', to }, message);

async function untilResponses({ id }: TestClient, count: number): Promise<void> {
  await until(`${count} responses are recorded`, async () => {
    const { rows } = await world.db.pool.query('SELECT 1 FROM response WHERE client_id = $1', [id]);
    return rows.length >= count || undefined;
  });
}

const untilNothingWaits = () =>
  until('all messages are looked at', async () => {
    const { rows } = await world.db.pool.query(`SELECT 1 FROM inbound_message WHERE status = 'received'`);
    return rows.length === 0 || undefined;
  });

it('what comes back by mail is in the responses file: bounces, answers of machines and people, complaints', async () => {
  const { client, mailing, address, returnPath } = await mailed('returned', 6);
  const sent = await mailTo(world.stack.inbox, address(3));
  const bounces = [
    bounceOf(returnPath(0), address(0), '5.1.1', '550 5.1.1 User unknown'),
    bounceOf(returnPath(1), address(1), '5.2.2', '552 5.2.2 Mailbox full'),
  ];
  for (const [i, bounce] of bounces.entries()) expect(await deliver(returnPath(i), bounce)).toMatch(/^250/);
  const automatic = answer({ from: address(2), to: returnPath(2), subject: 'Out of office', automatic: true });
  expect(await deliver(returnPath(2), automatic)).toMatch(/^250/);
  const reply = answer({ from: address(3), to: 'news@shop.example', inReplyTo: sent.header('message-id') });
  expect(await deliver('news@shop.example', reply)).toMatch(/^250/);
  expect(await deliver(returnPath(4), complaint(returnPath(4), address(4)))).toMatch(/^250/);
  await untilResponses(client, 5);

  const { responses, mailingrecipients } = await runExport(world, client);
  expect(responses.map(({ mailingId, userId, category }) => [mailingId, userId, category]).sort()).toEqual([
    [String(mailing), address(0), 'fatal_bounce'],
    [String(mailing), address(1), 'bounce'],
    [String(mailing), address(2), 'autoresponder'],
    [String(mailing), address(3), 'unknown'],
    [String(mailing), address(4), 'unknown'],
  ]);
  const status = (i: number) => mailingrecipients.find(({ userId }) => userId === address(i))?.deliveryStatus;
  expect([0, 1, 2, 5].map(status)).toEqual(['bounced', 'bounced', 'delivered', 'delivered']);

  await upload(
    world,
    client,
    rowsFor(client, 6).map((row) => [...row.slice(0, 4), 'Again', row[5] ?? null]),
  );
  const again = await until('the next mailing skips who complained', async () => {
    const { rows } = await world.db.pool.query<{ email: string; reason: string }>(
      `SELECT r.email, r.reason FROM mailing_recipient r JOIN mailing m ON m.id = r.mailing_id
        WHERE m.client_id = $1 AND m.id <> $2 AND r.status = 'suppressed'`,
      [client.id, mailing],
    );
    return rows.length > 0 ? rows : undefined;
  });
  expect(again).toEqual([{ email: address(4), reason: 'complaint' }]);
});

it('the same message twice counts once; a forged return path is refused and touches nobody', async () => {
  const { client, address, returnPath } = await mailed('forged', 2);
  const bounce = bounceOf(returnPath(0), address(0), '5.1.1', '550 5.1.1 User unknown');
  for (let n = 0; n < 3; n += 1) expect(await deliver(returnPath(0), bounce)).toMatch(/^250/);
  const forged = returnPath(1).replace(/.(?=@)/, (last) => (last === 'a' ? 'b' : 'a'));
  expect(await deliver(forged, bounce)).toMatch(/^550 5\.1\.1/);
  await untilNothingWaits();
  const { responses } = await runExport(world, client);
  expect(responses.map(({ userId }) => userId)).toEqual([address(0)]);
});

describe.each([
  { killPoint: 'inbound.after-store', answered: '' },
  { killPoint: 'inbound.after-record', answered: '250' },
])('inbound-mail killed at $killPoint', ({ killPoint, answered }) => {
  it('loses nothing and counts nothing twice', async () => {
    const { client, address, returnPath } = await mailed(killPoint.replace(/\W/g, '-'), 1);
    const bounce = bounceOf(returnPath(0), address(0), '4.2.2', '452 4.2.2 Mailbox full');
    await world.house.app('inbound-mail').stop();
    const doomed = await world.house.start('inbound-mail', { killPoint });
    expect((await deliver(returnPath(0), bounce)).slice(0, 3)).toBe(answered);
    expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });

    await world.house.start('inbound-mail');
    await untilResponses(client, 1);
    // Who got no answer sends again.
    expect(await deliver(returnPath(0), bounce)).toMatch(/^250/);
    await untilNothingWaits();
    const { responses } = await runExport(world, client);
    expect(responses).toMatchObject([{ userId: address(0), category: 'temporary_bounce' }]);
  });
});

it('soft bounces are mailed again by hand, once, without those on the blocklist by now', async () => {
  const { client, mailing, address, returnPath } = await mailed('resent', 4);
  for (const i of [0, 1])
    await deliver(returnPath(i), bounceOf(returnPath(i), address(i), '4.2.2', '452 4.2.2 Mailbox full'));
  await untilResponses(client, 2);
  await addSuppressions(world.db, client.id, [{ entry: 'p1@RESENT.*' }]);
  const before = world.stack.inbox.counts.accepted;

  const made = await resendToSoftBounces(world.db, mailing, { batchSize: 500 });
  if (made.result !== 'started') throw new Error(made.result);
  // Nobody told the senders: the reconciler finds the batch.
  await world.stack.inbox.waitForAccepted(before + 1);
  await until('the resend is finished', async () => {
    const { rows } = await world.db.pool.query(`SELECT 1 FROM mailing WHERE id = $1 AND status = 'finished'`, [
      made.mailingId,
    ]);
    return rows.length > 0 || undefined;
  });
  expect(world.stack.inbox.counts.accepted).toBe(before + 1);
  const last = world.stack.inbox
    .journal()
    .filter(({ type }) => type === 'accepted')
    .at(-1);
  expect(last?.envelopeTo).toEqual([address(0)]);
  expect(await resendToSoftBounces(world.db, mailing, { batchSize: 500 })).toEqual({ result: 'nobody' });
  const { mailings } = await runExport(world, client);
  expect(new Set(mailings.map(({ compoundMasterId }) => compoundMasterId)).size).toBe(1);
  expect(mailings).toHaveLength(2);
});

it('a pattern on the blocklist stops a mailing that runs', async () => {
  const client = await addClient(world, 'blocked');
  world.stack.inbox.behave({ delayMs: 20 });
  const before = world.stack.inbox.counts.accepted;
  const file = await upload(world, client, rowsFor(client, 1_500));
  await world.stack.inbox.waitForAccepted(before + 20);
  await addSuppressions(world.db, client.id, [{ entry: '*@blocked.example' }]);
  world.stack.inbox.behaveNormally();
  await untilSent(world, client, file);
  const { rows } = await world.db.pool.query<{ status: string; reason: string | null }>(
    `SELECT DISTINCT d.status, d.reason FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.client_id = $1 ORDER BY 1`,
    [client.id],
  );
  expect(rows).toEqual([
    { status: 'sent', reason: null },
    { status: 'suppressed', reason: 'blacklisted' },
  ]);
  expect(acceptedAddresses(world.stack.inbox).size).toBeLessThan(before + 1_000);
});
