import { beforeEach, describe, expect, it } from 'vitest';
import type { Attempt, Settlement } from './delivery.js';
import { type BatchClaim, claimBatch, releaseBatch, renewLease, selectRecipientsToSend } from './send-batch.js';
import { settle, takeOff } from './testing/deliveries.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const LEASE_MS = 60_000;
const key = { mailingId: MAILING, batch: 0 };

async function claim(): Promise<BatchClaim> {
  const claimed = await db.transaction((sql) => claimBatch(sql, key, LEASE_MS));
  if (!claimed) throw new Error('nothing to claim');
  return claimed;
}

const attemptsOf = (claimed: BatchClaim, recipients = RECIPIENTS): Attempt[] =>
  recipients.map((recipientId) => ({ ...claimed, recipientId, email: `r${recipientId}@x.example` }));

const sent = ({ mailingId, recipientId, attemptId }: Attempt): Settlement => ({
  mailingId,
  recipientId,
  attemptId,
  status: 'sent',
  smtpCode: 250,
  reason: null,
  retryInMs: null,
  response: null,
});

async function statuses(): Promise<string[]> {
  const { rows } = await db.pool.query<{ status: string }>('SELECT status FROM delivery ORDER BY recipient_id');
  return rows.map(({ status }) => status);
}

const expireLease = () => db.pool.query(`UPDATE send_batch SET lease_until = now() - interval '1 s'`);

describe('the claim of a batch', () => {
  it('has one winner, until its lease runs out', async () => {
    const claims = await Promise.all([1, 2, 3].map(() => db.transaction((sql) => claimBatch(sql, key, LEASE_MS))));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await expireLease();
    expect((await claim()).attemptId).not.toBe(claims.find(Boolean)?.attemptId);
  });

  it('whose holder was lost makes unknown what was in flight, and leaves the rest to be sent', async () => {
    const lost = await claim();
    await takeOff(db, attemptsOf(lost, RECIPIENTS.slice(0, 2)));
    await settle(db, [sent(attemptsOf(lost)[0] as Attempt)]);
    await expireLease();
    const next = await claim();
    expect(next.unknown).toBe(1);
    expect(await statuses()).toEqual(['sent', 'unknown']);
    expect((await selectRecipientsToSend(db.pool, next)).map(({ id }) => id)).toEqual(RECIPIENTS.slice(2));
    expect(await renewLease(db.pool, lost, LEASE_MS)).toBe(false);
  });

  it('whose client chose to resend puts what was in flight up for sending again', async () => {
    await db.pool.query(`UPDATE client SET unknown_policy = 'resend'`);
    await takeOff(db, attemptsOf(await claim()));
    await expireLease();
    expect(await selectRecipientsToSend(db.pool, await claim())).toHaveLength(RECIPIENTS.length);
  });
});

describe('taking off refuses', () => {
  it('a sender whose lease was retaken', async () => {
    const stale = await claim();
    await expireLease();
    await claim();
    expect(await takeOff(db, attemptsOf(stale))).toEqual(new Map());
  });

  it('the second of two that want the same recipient, whatever they believe', async () => {
    const claimed = await claim();
    const both = await Promise.all([takeOff(db, attemptsOf(claimed)), takeOff(db, attemptsOf(claimed))]);
    expect(both.map(({ size }) => size).sort()).toEqual([0, RECIPIENTS.length]);
  });

  it.each(['paused', 'cancelled'])('a mailing that is %s', async (status) => {
    const claimed = await claim();
    await db.pool.query('UPDATE mailing SET status = $1', [status]);
    expect(await takeOff(db, attemptsOf(claimed))).toEqual(new Map());
    expect(await statuses()).toEqual([]);
  });

  it('an address that was suppressed after the import, and records it', async () => {
    const claimed = await claim();
    await db.pool.query(
      `INSERT INTO suppression (client_id, address, reason) SELECT client_id, $1, 'unsubscribed' FROM mailing`,
      [`r${RECIPIENTS[0]}@x.example`],
    );
    const cleared = await takeOff(db, attemptsOf(claimed));
    expect(RECIPIENTS.map((id) => cleared.get(id))).toEqual([
      'suppressed',
      ...RECIPIENTS.slice(1).map(() => 'in_flight'),
    ]);
  });
});

describe('settling', () => {
  it('touches only what the attempt has in flight', async () => {
    const claimed = await claim();
    await takeOff(db, attemptsOf(claimed));
    expect(await settle(db, attemptsOf({ ...claimed, attemptId: 1n }).map(sent))).toBe(0);
    expect(await settle(db, attemptsOf(claimed).map(sent))).toBe(RECIPIENTS.length);
    expect(await settle(db, attemptsOf(claimed).map(sent))).toBe(0);
  });

  it('a late answer turns unknown into what it was', async () => {
    const lost = await claim();
    await takeOff(db, attemptsOf(lost));
    await expireLease();
    await claim();
    expect(new Set(await statuses())).toEqual(new Set(['unknown']));
    await settle(db, attemptsOf(lost).map(sent));
    expect(new Set(await statuses())).toEqual(new Set(['sent']));
  });

  it('a late answer that says to try again leaves it unknown: its batch may be done', async () => {
    const lost = await claim();
    await takeOff(db, attemptsOf(lost));
    await expireLease();
    const next = await claim();
    await db.transaction((sql) => releaseBatch(sql, next));
    const late = attemptsOf(lost).map(
      (attempt): Settlement => ({ ...sent(attempt), status: 'deferred', retryInMs: 1 }),
    );
    expect(await settle(db, late)).toBe(RECIPIENTS.length);
    expect(new Set(await statuses())).toEqual(new Set(['unknown']));
  });
});

it("a server's words are stored without what PostgreSQL has no place for, so that one cannot hold up every answer", async () => {
  const claimed = await claim();
  await takeOff(db, attemptsOf(claimed));
  const odd = attemptsOf(claimed).map(
    (attempt): Settlement => ({ ...sent(attempt), status: 'deferred', reason: 'try\0 later\ud800', retryInMs: 60_000 }),
  );
  expect(await settle(db, odd)).toBe(RECIPIENTS.length);
  const { rows } = await db.pool.query('SELECT DISTINCT reason FROM delivery');
  expect(rows).toEqual([{ reason: 'try later\ufffd' }]);
});

describe('releasing', () => {
  it('the last recipient finishes the mailing and gives it a ticket', async () => {
    const claimed = await claim();
    await takeOff(db, attemptsOf(claimed));
    await settle(db, attemptsOf(claimed).map(sent));
    expect(await db.transaction((sql) => releaseBatch(sql, claimed))).toEqual({ dueInMs: null, finished: true });
    const { rows } = await db.pool.query('SELECT status, finished_ticket FROM mailing');
    expect(rows).toEqual([{ status: 'finished', finished_ticket: 1n }]);
  });

  it('keeps the batch open while somebody is untried, put off or in flight', async () => {
    const claimed = await claim();
    expect(await db.transaction((sql) => releaseBatch(sql, claimed))).toMatchObject({ dueInMs: 0, finished: false });
    const again = await claim();
    const [first, ...rest] = attemptsOf(again);
    await takeOff(db, attemptsOf(again));
    await settle(db, [...rest.map(sent), { ...sent(first as Attempt), status: 'deferred', retryInMs: 60_000 }]);
    const { dueInMs, finished } = await db.transaction((sql) => releaseBatch(sql, again));
    expect(finished).toBe(false);
    expect(dueInMs).toBeGreaterThan(50_000);
    expect(await db.transaction((sql) => claimBatch(sql, key, LEASE_MS))).toBeUndefined();
  });

  it('is refused to a holder whose lease was retaken', async () => {
    const stale = await claim();
    await expireLease();
    const holder = await claim();
    await db.transaction((sql) => releaseBatch(sql, stale));
    expect(await renewLease(db.pool, holder, LEASE_MS)).toBe(true);
  });
});
