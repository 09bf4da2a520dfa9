import { beforeEach, describe, expect, it } from 'vitest';
import { claimBatch } from './send-batch.js';
import { addSuppressions, removeSuppressions, selectSuppressions } from './suppression.js';
import { takeOff } from './testing/deliveries.js';
import { importRecords } from './testing/import-records.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const CLIENT = 5_000n;
const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const entries = async () => (await selectSuppressions(db.pool, CLIENT, { limit: 100 })).map(({ entry }) => entry);

/** What an address is made of at import. */
async function importStatus(...addresses: string[]): Promise<(string | null)[]> {
  await db.pool.query('DELETE FROM mailing_recipient');
  const field = { required: true, length: 255, type: 'varchar' } as const;
  const fields = [
    { ...field, ordinal: 1, name: 'Email', role: 'email' },
    { ...field, ordinal: 2, name: 'BROADMAIL_ID', role: 'broadmail_id' },
  ] as const;
  const records = addresses.map((address) => `${address};6000`);
  await importRecords(db, records, { fields });
  const { rows } = await db.pool.query<{ status: string; reason: string | null }>(
    'SELECT status, reason FROM mailing_recipient ORDER BY line',
  );
  return rows.map(({ status, reason }) => reason ?? status);
}

describe('the list of a client', () => {
  it('takes addresses and patterns, tells what was known and what is no entry', async () => {
    const lines = ['Ada@x.example', '*@bad.example', 'ada@x.example', 'nobody', '*'].map((entry) => ({ entry }));
    expect(await addSuppressions(db, CLIENT, lines)).toEqual({
      added: 2,
      known: 1,
      refused: [
        { index: 3, entry: 'nobody', problem: expect.any(String) },
        { index: 4, entry: '*', problem: 'fits every address' },
      ],
    });
    expect(await entries()).toEqual(['*@bad.example', 'ada@x.example']);
  });

  it('is read page by page, whole and without a line twice', async () => {
    const all = Array.from({ length: 23 }, (_, i) => ({ entry: i % 5 === 0 ? `p${i}*@x.example` : `p${i}@x.example` }));
    await addSuppressions(db, CLIENT, all);
    await addSuppressions(db, CLIENT, [{ entry: 'p1@x.example', reason: 'complaint' }]);
    const read: string[] = [];
    for (let page = await selectSuppressions(db.pool, CLIENT, { limit: 4 }); page.length > 0; ) {
      read.push(...page.map(({ entry, reason }) => `${entry} ${reason}`));
      const after = page.at(-1);
      page = after ? await selectSuppressions(db.pool, CLIENT, { limit: 4, after }) : [];
    }
    expect(new Set(read).size).toBe(24);
    expect(read).toHaveLength(24);
  });

  it('can be asked for one reason', async () => {
    await addSuppressions(db, CLIENT, [{ entry: 'a@x.example', reason: 'complaint' }, { entry: 'b*@x.example' }]);
    const complaints = await selectSuppressions(db.pool, CLIENT, { limit: 9, reason: 'complaint' });
    expect(complaints).toMatchObject([{ entry: 'a@x.example', reason: 'complaint' }]);
  });

  it('gives entries back, for one reason or all, and then bounces count anew', async () => {
    await addSuppressions(db, CLIENT, [
      { entry: 'a@x.example' },
      { entry: 'a@x.example', reason: 'too_many_bounces' },
      { entry: '*@bad.example' },
    ]);
    await db.pool.query(`INSERT INTO bounce_count VALUES (${CLIENT}, 'a@x.example', 3, 0)`);
    expect(await removeSuppressions(db, CLIENT, ['A@x.example'], 'too_many_bounces')).toBe(1);
    expect((await db.pool.query('SELECT 1 FROM bounce_count')).rowCount).toBe(0);
    expect(await removeSuppressions(db, CLIENT, ['a@x.example', '*@bad.example', 'x@x.example'])).toBe(2);
    expect(await entries()).toEqual([]);
  });
});

describe('patterns', () => {
  const list = (...patterns: string[]) =>
    addSuppressions(
      db,
      CLIENT,
      patterns.map((entry) => ({ entry })),
    );

  it('hold at import: * any text, ? one character, everything else itself', async () => {
    await list('*@bad.example', 'info?@x.example', 'a_b%*@x.example', '*.test\\*');
    expect(
      await importStatus('Eve@BAD.example', 'info1@x.example', 'info@x.example', 'axb@x.example', 'a_b%c@x.example'),
    ).toEqual(['blacklisted', 'blacklisted', 'queued', 'queued', 'blacklisted']);
  });

  it("are the client's own", async () => {
    await db.pool.query(`INSERT INTO client (id, name, directory) VALUES (7000, 'Other', 'other')`);
    await addSuppressions(db, 7_000n, [{ entry: '*@bad.example' }]);
    expect(await importStatus('eve@bad.example')).toEqual(['queued']);
  });

  it('hold at once for the next mail of a running mailing', async () => {
    const claim = await db.transaction((sql) => claimBatch(sql, { mailingId: MAILING, batch: 0 }, 60_000));
    const attempt = (i: number) => ({
      mailingId: MAILING,
      batch: 0,
      attemptId: claim?.attemptId ?? 0n,
      recipientId: RECIPIENTS[i] ?? 0n,
      email: `R${i}@x.example`,
    });
    expect([...(await takeOff(db, [attempt(0)])).values()]).toEqual(['in_flight']);
    await list('r*@x.example');
    expect([...(await takeOff(db, [attempt(1)])).values()]).toEqual(['suppressed']);
    const { rows } = await db.pool.query(`SELECT reason FROM delivery WHERE status = 'suppressed'`);
    expect(rows).toEqual([{ reason: 'blacklisted' }]);
  });
});

it('no import brings anyone back', async () => {
  await addSuppressions(db, CLIENT, [{ entry: 'gone@x.example', reason: 'unsubscribed' }]);
  expect(await importStatus('gone@x.example', 'Gone@X.example')).toEqual(['unsubscribed', 'duplicate']);
  expect(await importStatus('gone@x.example')).toEqual(['unsubscribed']);
});
