import { beforeEach, describe, expect, it } from 'vitest';
import { insertResponses, type NewResponse } from './response.js';
import { claimBatch } from './send-batch.js';
import { settle, takeOff } from './testing/deliveries.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';
import { unsubscribeEventId } from './unsubscribe-event-id.js';

const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const RECIPIENT = RECIPIENTS[0] ?? 0n;
const ADDRESS = `r${RECIPIENT}@x.example`;

const response = (messageId: bigint, more: Partial<NewResponse> = {}): NewResponse => ({
  mailingId: MAILING,
  recipientId: RECIPIENT,
  category: 'fatal_bounce',
  statusCode: '5.1.1',
  diagnostic: 'no such user',
  rule: 'status:x.1.1',
  kind: 'dsn',
  reason: 'userunknown',
  messageId,
  occurredAt: null,
  complaint: false,
  ...more,
});
const insert = (...responses: NewResponse[]) => db.transaction((sql) => insertResponses(sql, responses));
const suppressed = async () =>
  (await db.pool.query('SELECT address, reason FROM suppression ORDER BY reason')).rows as unknown[];

it('a message counts once for a recipient, however often it is recorded', async () => {
  expect(await insert(response(1n))).toMatchObject([{ recipientId: RECIPIENT, category: 'fatal_bounce' }]);
  expect(await insert(response(1n), response(2n))).toHaveLength(1);
  const { rows } = await db.pool.query('SELECT hard, soft FROM bounce_count');
  expect(rows).toEqual([{ hard: 2, soft: 0 }]);
});

it('rows of one transaction have one ticket, later ones a greater', async () => {
  await insert(response(1n), response(1n, { recipientId: RECIPIENTS[1] ?? 0n }));
  await insert(response(2n));
  const { rows } = await db.pool.query<{ ticket: bigint }>('SELECT ticket FROM response ORDER BY message_id');
  expect(rows.map(({ ticket }) => ticket)).toEqual([1n, 1n, 2n]);
});

describe('an address is suppressed', () => {
  it('by the third hard bounce', async () => {
    await insert(response(1n), response(2n));
    expect(await suppressed()).toEqual([]);
    await insert(response(3n));
    expect(await suppressed()).toEqual([{ address: ADDRESS, reason: 'too_many_bounces' }]);
  });

  it('by the fifth soft bounce, temporary or not', async () => {
    for (const n of [1n, 2n, 3n, 4n])
      await insert(response(n, { category: n % 2n === 0n ? 'bounce' : 'temporary_bounce' }));
    expect(await suppressed()).toEqual([]);
    await insert(response(5n, { category: 'bounce' }));
    expect(await suppressed()).toEqual([{ address: ADDRESS, reason: 'too_many_bounces' }]);
  });

  it("at the client's own limits", async () => {
    await db.pool.query('UPDATE client SET hard_bounce_limit = 1');
    await insert(response(1n));
    expect(await suppressed()).toHaveLength(1);
  });

  it('by a complaint at once', async () => {
    await insert(response(1n, { category: 'unknown', kind: 'arf', complaint: true }));
    expect(await suppressed()).toEqual([{ address: ADDRESS, reason: 'complaint' }]);
  });

  it('by a complaint, which is told as an unsubscribe too, once on whatever way', async () => {
    const complaint = { category: 'unknown', kind: 'arf', complaint: true } as const;
    await insert(response(1n, complaint), response(2n));
    await insert(response(3n, complaint));
    const { rows } = await db.pool.query(
      'SELECT id, kind, recipient_id AS recipient, ticket, link_ordinal AS link FROM event',
    );
    const id = unsubscribeEventId(MAILING, RECIPIENT);
    expect(rows).toEqual([{ id, kind: 'unsubscribe', recipient: RECIPIENT, ticket: 1n, link: 0 }]);
  });

  it('never by people or machines that answer', async () => {
    for (let n = 1n; n <= 6n; n += 1n)
      await insert(response(n, { category: n % 2n === 0n ? 'unknown' : 'autoresponder' }));
    expect(await suppressed()).toEqual([]);
  });

  it('by refusals while sending, counted with what comes back as mail', async () => {
    await insert(response(1n), response(2n));
    const claim = await db.transaction((sql) => claimBatch(sql, { mailingId: MAILING, batch: 0 }, 60_000));
    const key = { mailingId: MAILING, recipientId: RECIPIENT, attemptId: claim?.attemptId ?? 0n };
    await takeOff(db, [{ ...key, batch: 0, email: ADDRESS }]);
    await settle(db, [
      {
        ...key,
        status: 'could_not_be_sent',
        smtpCode: 550,
        reason: '5.1.1 no such user',
        retryInMs: null,
        response: { category: 'fatal_bounce', statusCode: '5.1.1', reason: 'userunknown', rule: 'text:user-unknown' },
      },
    ]);
    expect(await suppressed()).toEqual([{ address: ADDRESS, reason: 'too_many_bounces' }]);
    const { rows } = await db.pool.query(`SELECT rule, kind, diagnostic FROM response WHERE message_id IS NULL`);
    expect(rows).toEqual([{ rule: 'text:user-unknown', kind: 'smtp', diagnostic: '5.1.1 no such user' }]);
  });
});

it('many at the same time: none is lost or counted twice', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, i) => insert(response(BigInt(1 + (i % 10))))));
  expect((await db.pool.query('SELECT hard FROM bounce_count')).rows).toEqual([{ hard: 10 }]);
});
