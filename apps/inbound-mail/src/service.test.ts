import { answer, complaint, deliveryStatus } from '@postloop/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADA,
  BOB,
  DOMAIN,
  forgetAll,
  type Inbound,
  messageIdOf,
  openInbound,
  returnPathOf,
} from './testing/inbound-fixture.js';

let inbound: Inbound;
beforeAll(async () => {
  inbound = await openInbound({ INBOUND_RETRY_MS: '200' });
});
afterAll(() => inbound[Symbol.asyncDispose]());
beforeEach(() => forgetAll(inbound.db));

const unknownUser = { recipient: 'ada@x.example', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' };

/** Delivers a message; what became of it once it was looked at. */
async function deliver(to: string, message: string) {
  const client = await inbound.connect();
  expect(await client.send(to, message)).toMatch(/^250 /);
  client.end();
  return inbound.settled();
}

const suppressed = async () =>
  (await inbound.db.pool.query('SELECT address, reason FROM suppression')).rows as unknown[];

describe('mail to a return path', () => {
  it('is a response of its recipient, with what the server said', async () => {
    const to = returnPathOf(ADA);
    expect(await deliver(to.toUpperCase(), deliveryStatus(to, [unknownUser]))).toEqual([
      { status: 'recorded', reason: null },
    ]);
    expect(await inbound.responses()).toEqual([
      { recipient: ADA, category: 'fatal_bounce', kind: 'dsn', code: '5.1.1' },
    ]);
    expect(await inbound.metrics.metrics()).toContain('postloop_responses_total{category="fatal_bounce"} 1');
  });

  it('counts once however often it comes', async () => {
    const message = deliveryStatus(returnPathOf(ADA), [unknownUser]);
    for (let n = 0; n < 3; n += 1) await deliver(returnPathOf(ADA), message);
    expect(await inbound.responses()).toHaveLength(1);
  });

  it('for several recipients is one response of each, by their names in the report', async () => {
    const full = { recipient: 'bob@x.example', status: '5.2.2', diagnostic: '552 5.2.2 Mailbox full' };
    const client = await inbound.connect();
    await client.say('MAIL FROM:<>');
    for (const recipient of [ADA, BOB])
      expect(await client.say(`RCPT TO:<${returnPathOf(recipient)}>`)).toMatch(/^250/);
    await client.say('DATA');
    client.write(`${deliveryStatus(returnPathOf(ADA), [full, unknownUser])}\r\n.\r\n`);
    expect(await client.reply()).toMatch(/^250/);
    await inbound.settled();
    expect((await inbound.responses()).map(({ recipient, category }) => [recipient, category])).toEqual(
      expect.arrayContaining([
        [ADA, 'fatal_bounce'],
        [BOB, 'bounce'],
      ]),
    );
  });

  it('that names other recipients only is not taken for the worst of them', async () => {
    const others = [
      { ...unknownUser, recipient: 'left@y.example' },
      { recipient: 'stays@y.example', status: '4.2.2', diagnostic: '452 4.2.2 Mailbox full' },
    ];
    await deliver(returnPathOf(ADA), deliveryStatus(returnPathOf(ADA), others));
    expect(await inbound.responses()).toMatchObject([{ recipient: ADA, category: 'temporary_bounce' }]);
  });

  it('that says a mail is late or was delivered is no response', async () => {
    const late = { ...unknownUser, status: '4.4.1', diagnostic: '451 4.4.1 timed out', action: 'delayed' };
    const delivered = { ...unknownUser, status: '2.0.0', diagnostic: '250 OK', action: 'delivered' };
    await deliver(returnPathOf(ADA), deliveryStatus(returnPathOf(ADA), [late]));
    const statuses = await deliver(returnPathOf(ADA), deliveryStatus(returnPathOf(ADA), [delivered]));
    expect(statuses.map(({ status }) => status)).toEqual(['no_response', 'no_response']);
    expect(await inbound.responses()).toEqual([]);
  });

  it('from a machine is an autoresponder, from a person unknown', async () => {
    const to = returnPathOf(ADA);
    await deliver(to, answer({ from: 'ada@x.example', to, automatic: true, subject: 'Out of office' }));
    await deliver(to, answer({ from: 'ada@x.example', to }));
    expect((await inbound.responses()).map(({ category }) => category)).toEqual(['autoresponder', 'unknown']);
    expect(await suppressed()).toEqual([]);
  });

  it('that asks to be unsubscribed, as our header field offers, does that once', async () => {
    const to = returnPathOf(ADA);
    for (const text of ['', 'please'])
      await deliver(to, answer({ from: 'ada@x.example', to, subject: ' Unsubscribe', text }));
    expect(await suppressed()).toEqual([{ address: 'ada@x.example', reason: 'unsubscribed' }]);
    const { rows } = await inbound.db.pool.query('SELECT kind, recipient_id FROM event');
    expect(rows).toEqual([{ kind: 'unsubscribe', recipient_id: ADA }]);
    expect(await inbound.responses()).toEqual([]);
  });
});

describe('a complaint', () => {
  it('suppresses its recipient', async () => {
    await deliver(returnPathOf(ADA), complaint(returnPathOf(ADA), 'ada@x.example'));
    expect(await suppressed()).toEqual([{ address: 'ada@x.example', reason: 'complaint' }]);
    expect(await inbound.responses()).toMatchObject([{ recipient: ADA, kind: 'arf' }]);
  });

  it.each(['auth-failure', 'not-spam'])('is not what a report of %s is', async (type) => {
    await deliver(returnPathOf(ADA), complaint(returnPathOf(ADA), 'ada@x.example', type));
    expect([await suppressed(), await inbound.responses()]).toEqual([[], []]);
  });
});

describe('mail to a sender address', () => {
  it('is assigned by a Message-ID of ours: in the returned mail, or that it answers', async () => {
    await deliver('service@shop.example', deliveryStatus('service@shop.example', [unknownUser], messageIdOf(ADA)));
    const reply = { from: 'bob@x.example', to: 'service@shop.example', inReplyTo: messageIdOf(BOB) };
    await deliver('Service@shop.example', answer(reply));
    expect((await inbound.responses()).map(({ recipient }) => recipient)).toEqual([ADA, BOB]);
  });

  it('that names nobody, or a Message-ID that we did not sign, is kept and touches nobody', async () => {
    const forged = messageIdOf(ADA).replace(/.(?=@)/, (last) => (last === 'a' ? 'b' : 'a'));
    const gone = messageIdOf(ADA, 77_000n);
    for (const inReplyTo of ['<x@y.example>', forged, gone])
      await deliver('service@shop.example', answer({ from: 'ada@x.example', to: 'service@shop.example', inReplyTo }));
    const statuses = await inbound.settled();
    expect(statuses.map(({ status }) => status)).toEqual(['unassigned', 'unassigned', 'unassigned']);
    expect(statuses.every(({ reason }) => reason)).toBe(true);
    expect(await inbound.responses()).toEqual([]);
  });

  it('asks nobody to be unsubscribed: who writes it is not known', async () => {
    const mail = {
      from: 'eve@x.example',
      to: 'service@shop.example',
      subject: 'unsubscribe',
      inReplyTo: messageIdOf(ADA),
    };
    await deliver('service@shop.example', answer(mail));
    expect(await suppressed()).toEqual([]);
  });
});

it('the third hard bounce suppresses the address', async () => {
  for (const n of [1, 2, 3]) {
    expect(await suppressed()).toEqual([]);
    await deliver(
      returnPathOf(ADA),
      deliveryStatus(returnPathOf(ADA), [{ ...unknownUser, diagnostic: `550 5.1.1 User unknown (${n})` }]),
    );
  }
  expect(await suppressed()).toEqual([{ address: 'ada@x.example', reason: 'too_many_bounces' }]);
});

it('what an earlier life stored and did not record is recorded', async () => {
  await inbound.db.pool.query(
    `INSERT INTO inbound_message (sha256, source, raw, envelope_from, envelope_to, received_at) VALUES ('x', 'smtp', $1, '', $2, now())`,
    [Buffer.from(deliveryStatus(returnPathOf(ADA), [unknownUser])), [`${returnPathOf(ADA)}`]],
  );
  await inbound.settled();
  expect(await inbound.responses()).toHaveLength(1);
});

it('one that cannot be recorded holds up no other one of its batch, and loses none', async () => {
  const { pool } = inbound.db;
  // As a fault of the database that only this message's row meets.
  await pool.query(`ALTER TABLE response ADD CONSTRAINT refused CHECK (status_code <> '5.9.9') NOT VALID`);
  const reports = ['5.1.1', '5.9.9', '5.2.2'].map((status) =>
    deliveryStatus(returnPathOf(ADA), [{ ...unknownUser, status, diagnostic: 'no' }]),
  );
  await pool.query(
    `INSERT INTO inbound_message (sha256, source, raw, envelope_from, envelope_to, received_at)
     SELECT sha256(raw), 'smtp', raw, '', $2, now() FROM unnest($1::bytea[]) AS raw`,
    [reports.map((report) => Buffer.from(report)), [returnPathOf(ADA)]],
  );
  await expect.poll(async () => (await inbound.responses()).map(({ code }) => code).sort()).toEqual(['5.1.1', '5.2.2']);
  const waiting = await pool.query(`SELECT attempts FROM inbound_message WHERE status = 'received'`);
  expect(waiting.rows).toEqual([{ attempts: 1 }]);

  // It comes back by itself, alone.
  await pool.query(`ALTER TABLE response DROP CONSTRAINT refused`);
  await pool.query(`UPDATE inbound_message SET lease_until = now() WHERE status = 'received'`);
  await inbound.settled();
  expect(await inbound.responses()).toHaveLength(3);
});

it('a message that was looked at in vain too often is left alone', async () => {
  await inbound.db.pool.query(
    `INSERT INTO inbound_message (sha256, source, raw, envelope_from, envelope_to, received_at, attempts)
     VALUES ('x', 'smtp', 'poison', '', $1, now(), 5)`,
    [[`a@${DOMAIN}`]],
  );
  expect(await inbound.settled()).toMatchObject([
    { status: 'unassigned', reason: expect.stringContaining('attempts') },
  ]);
});
