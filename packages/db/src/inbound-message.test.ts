import { beforeEach, expect, it } from 'vitest';
import {
  type ClaimedMessage,
  claimInboundMessages,
  countWaitingInboundMessages,
  forgetInboundMessages,
  giveBackInboundMessages,
  type InboundOutcome,
  type IncomingMessage,
  recordInboundMessages,
  selectMailedRecipients,
  storeInboundMessages,
} from './inbound-message.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query('TRUNCATE inbound_message');
});

const LEASE_MS = 60_000;
const message = (text: string, ...envelopeTo: string[]): IncomingMessage => ({
  source: 'smtp',
  raw: Buffer.from(text),
  envelopeFrom: '',
  envelopeTo,
  receivedAt: new Date('2026-07-01T10:00:00Z'),
});
const store = async (...given: Parameters<typeof message>) =>
  (await storeInboundMessages(db.pool, [message(...given)]))[0];
const claimAll = (messages = 10, bytes = 1_000) => claimInboundMessages(db.pool, LEASE_MS, { messages, bytes });
const claim = async () => (await claimAll(1))[0];
const record = (claimed: ClaimedMessage, outcome: InboundOutcome) =>
  recordInboundMessages(db, [{ message: claimed, outcome }]);
const textsOf = (messages: readonly ClaimedMessage[]) => messages.map(({ raw }) => raw.toString()).sort();
const leaseIsOver = () => db.pool.query(`UPDATE inbound_message SET lease_until = now() - interval '1 s'`);
const unassigned = { status: 'unassigned' as const, reason: 'no token', responses: [], unsubscribes: [] };

it('is one however often it is taken over', async () => {
  const results = await Promise.all([1, 2, 3, 4].map(() => store('a\0b', 'x@y')));
  expect(results.sort()).toEqual(['known', 'known', 'known', 'stored']);
  expect((await claim())?.raw).toEqual(Buffer.from('a\0b'));
  expect(await claim()).toBeUndefined();
});

it('is stored whatever its envelope holds', async () => {
  const envelopeFrom = 'a\0@y';
  expect(await storeInboundMessages(db.pool, [{ ...message('a', 'x\0@y'), envelopeFrom }])).toEqual(['stored']);
  expect(await claim()).toMatchObject({ envelopeFrom: 'a@y', envelopeTo: ['x@y'] });
});

it('is looked at again when it comes for somebody else', async () => {
  await store('a', 'one@y');
  const first = await claim();
  if (first) await record(first, unassigned);
  expect(await countWaitingInboundMessages(db.pool)).toBe(0);
  expect(await store('a', 'two@y')).toBe('stored');
  const again = await claim();
  expect(again).toMatchObject({ id: first?.id, envelopeTo: ['one@y', 'two@y'], attempts: 1 });
});

it('is looked at by one, and by another when that one is lost', async () => {
  await store('a', 'x@y');
  const claims = await Promise.all([claim(), claim(), claim()]);
  expect(claims.filter(Boolean)).toHaveLength(1);
  await leaseIsOver();
  expect(await claim()).toMatchObject({ attempts: 2 });
});

it('is stored with others: each as it came, the same one once and for all whom it came for', async () => {
  const group = [message('a', 'x@y', 'z@y'), message(''), message('bb', 'x@y'), message('a', 'w@y'), message('ccc')];
  expect(await storeInboundMessages(db.pool, group)).toEqual(['stored', 'stored', 'stored', 'known', 'stored']);
  expect(await storeInboundMessages(db.pool, group.slice(2, 4))).toEqual(['known', 'known']);
  const claimed = (await claimAll()).map(({ raw, envelopeTo }) => [raw.toString(), [...envelopeTo].sort()]);
  expect(claimed.sort()).toEqual([
    ['', []],
    ['a', ['w@y', 'x@y', 'z@y']],
    ['bb', ['x@y']],
    ['ccc', []],
  ]);
});

it('is claimed with others up to a number and to a size, but at least one', async () => {
  for (const text of ['a', 'b', 'c', 'dd', 'eee', 'f']) await store(text);
  expect(textsOf(await claimAll(2))).toEqual(['a', 'b']);
  expect(textsOf(await claimAll(10, 3))).toEqual(['c', 'dd']);
  expect(textsOf(await claimAll(10, 1))).toEqual(['eee']);
  expect(textsOf(await claimAll(10, 1))).toEqual(['f']);
});

it('goes alone after a look in vain, and those before and behind it together', async () => {
  for (const text of ['a', 'b', 'poison']) await store(text);
  const claimed = await claimAll();
  await leaseIsOver();
  await giveBackInboundMessages(
    db.pool,
    claimed.filter(({ raw }) => raw.toString() !== 'poison'),
  );
  for (const text of ['c', 'd']) await store(text);
  expect(textsOf(await claimAll())).toEqual(['a', 'b']);
  expect(textsOf(await claimAll())).toEqual(['poison']);
  expect(textsOf(await claimAll())).toEqual(['c', 'd']);
});

it('is not given back or settled by one that lost it', async () => {
  await store('a');
  const lost = await claimAll();
  await leaseIsOver();
  const [held] = await claimAll();
  await giveBackInboundMessages(db.pool, lost);
  for (const one of lost) await record(one, unassigned);
  expect(await claimAll()).toEqual([]);
  expect(await countWaitingInboundMessages(db.pool)).toBe(1);
  if (held) await record(held, unassigned);
  expect(await countWaitingInboundMessages(db.pool)).toBe(0);
});

it('recorded twice is recorded once: response, unsubscribe, suppression', async () => {
  await store('a', 'x@y');
  const claimed = await claim();
  if (!claimed) throw new Error('nothing to claim');
  const [recipientId = 0n] = RECIPIENTS;
  const key = { mailingId: MAILING, recipientId };
  const response = {
    ...key,
    category: 'unknown',
    statusCode: null,
    diagnostic: 'Re: news',
    rule: 'reply',
    kind: 'reply',
  } as const;
  const outcome = {
    status: 'recorded' as const,
    reason: null,
    responses: [{ ...response, reason: null, messageId: claimed.id, occurredAt: claimed.receivedAt, complaint: false }],
    unsubscribes: [
      {
        ...key,
        id: '00000000-0000-8000-8000-000000000001',
        kind: 'unsubscribe' as const,
        linkOrdinal: 0,
        occurredAt: claimed.receivedAt,
        browser: '',
        platform: '',
        device: '',
        verdict: 'unknown' as const,
        verdictRule: 'mail',
        userAgent: null,
      },
    ],
  };
  expect(await record(claimed, outcome)).toHaveLength(1);
  expect(await record(claimed, outcome)).toHaveLength(0);
  const { rows } = await db.pool.query(
    `SELECT (SELECT count(*) FROM response) AS responses, (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM suppression) AS suppressed`,
  );
  expect(rows).toEqual([{ responses: 1n, events: 1n, suppressed: 1n }]);
});

it('finds recipients that exist, and no others', async () => {
  const [recipientId = 0n] = RECIPIENTS;
  const keys = [
    { mailingId: MAILING, recipientId },
    { mailingId: MAILING, recipientId: 5n },
    { mailingId: 2n, recipientId },
  ];
  expect(await selectMailedRecipients(db.pool, keys)).toEqual([
    { mailingId: MAILING, recipientId, email: `r${recipientId}@x.example` },
  ]);
});

it('is forgotten when its time is over, but for its hash', async () => {
  await store('a', 'x@y');
  const claimed = await claim();
  expect(await forgetInboundMessages(db.pool, 1_000, 10)).toBe(0);
  if (claimed) await record(claimed, unassigned);
  expect(await forgetInboundMessages(db.pool, 1_000, 10)).toBe(1);
  const { rows } = await db.pool.query('SELECT raw, envelope_to FROM inbound_message');
  expect(rows).toEqual([{ raw: null, envelope_to: [] }]);
});
