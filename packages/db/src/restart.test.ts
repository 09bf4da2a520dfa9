import { beforeEach, describe, expect, it } from 'vitest';
import { endImport, insertClaim, markClaimed, selectImport } from './import.js';
import { selectCorrections, storeCorrections } from './import-corrections.js';
import { selectHalts } from './inbox.js';
import { selectMailingSummary } from './inspect.js';
import { failMailings } from './mailing.js';
import { restartFailedImport, restartImport, skipImport } from './restart.js';
import { insertMailing, MAILING } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();

const CLIENT = 5_000n;
/** The import of the fixture: its rows are stored, its mailing is MAILING. */
const STORED = 10_000n;
const FAULT = { code: 'empty_file', line: null, column: null, message: 'm', remedy: 'r' } as const;

beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query('UPDATE import SET accepted = true, filed = true WHERE id = $1', [STORED]);
});

const fileOf = (fileName: string, order = false) =>
  ({
    clientId: CLIENT,
    directory: 'import',
    fileName,
    size: 1n,
    modifiedAt: new Date(),
    contentOnce: true,
    order,
  }) as const;

async function claim(fileName: string, order = false): Promise<bigint> {
  const id = await insertClaim(db, fileOf(fileName, order));
  if (id === null) throw new Error('nothing to claim');
  await markClaimed(db.pool, id);
  return id;
}

async function failed(fileName: string, filed = true): Promise<bigint> {
  const id = await claim(fileName);
  await db.transaction((sql) => endImport(sql, id, 'failed', [FAULT]));
  await db.pool.query('UPDATE import SET filed = $2 WHERE id = $1', [id, filed]);
  return id;
}

async function failedStart(): Promise<void> {
  await db.pool.query(`UPDATE mailing SET status = 'building'`);
  await db.transaction((sql) => failMailings(sql, STORED, [FAULT]));
  await db.pool.query('UPDATE import SET filed = true');
}

/** A connection is held up by the lock of another. */
async function untilOneWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await db.pool.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
    if (rowCount) return;
  }
}

const halted = async () => (await selectHalts(db.pool, CLIENT)).map(({ importId }) => importId);

describe('the halt of an inbox', () => {
  it('comes with the failure of an import, and nothing but orders is claimed', async () => {
    const id = await failed('b.csv');
    expect(await halted()).toEqual([id]);
    expect(await insertClaim(db, fileOf('c.csv'))).toBeNull();
    expect(await insertClaim(db, { ...fileOf('c.csv'), directory: 'test' })).not.toBeNull();
    expect(await insertClaim(db, fileOf('b.csv.restart', true))).not.toBeNull();
  });

  it('comes with the failure of a start', async () => {
    await failedStart();
    expect(await halted()).toEqual([STORED]);
  });

  it('does not come without its failure, nor the failure without it', async () => {
    const id = await claim('b.csv');
    const fail = db.transaction(async (sql) => {
      await endImport(sql, id, 'failed', [FAULT]);
      throw new Error('killed');
    });
    await expect(fail).rejects.toThrow('killed');
    expect(await halted()).toEqual([]);
    expect(await selectImport(db.pool, id)).toMatchObject({ status: 'claimed' });
  });

  it('holds against a claim that waited for the failing import', async () => {
    const id = await claim('b.csv');
    let waiting: Promise<bigint | null> | undefined;
    await db.transaction(async (sql) => {
      await endImport(sql, id, 'failed', [FAULT]);
      waiting = insertClaim(db, fileOf('c.csv'));
      await untilOneWaits();
    });
    expect(await waiting).toBeNull();
  });

  it('is not what an ignored file or a faulty order leads to', async () => {
    const ignored = await claim('b.csv');
    await db.transaction((sql) => endImport(sql, ignored, 'ignored', [FAULT]));
    await db.pool.query('UPDATE import SET filed = true');
    const order = await claim('b.csv.restart', true);
    await db.transaction((sql) => endImport(sql, order, 'failed', [FAULT]));
    expect(await halted()).toEqual([]);
  });

  it('is not for clients that want none', async () => {
    await db.pool.query(`UPDATE client SET settings = '{"onError": {"halt": false}}'`);
    await failed('b.csv');
    await failedStart();
    expect(await halted()).toEqual([]);
  });

  it('is lifted for the file that it stands for, not for another', async () => {
    const id = await failed('b.csv');
    await failedStart();
    expect(await db.transaction((sql) => skipImport(sql, STORED))).toBe(false);
    expect(await halted()).toEqual([id]);
    expect(await db.transaction((sql) => skipImport(sql, id))).toBe(true);
    expect(await halted()).toEqual([]);
  });
});

describe('a restart', () => {
  it('has the file read again when nothing was stored', async () => {
    const id = await failed('b.csv');
    expect(await restartFailedImport(db, id)).toEqual({ restarted: 'upload' });
    expect(await selectImport(db.pool, id)).toMatchObject({ status: 'claimed', filed: false, faults: null });
    expect(await halted()).toEqual([]);
  });

  it('puts the mailings back to where they wait for their copies when the rows are stored', async () => {
    await failedStart();
    expect(await restartFailedImport(db, STORED)).toEqual({ restarted: 'start' });
    expect(await selectImport(db.pool, STORED)).toMatchObject({ status: 'imported', filed: false, faults: null });
    expect(await selectMailingSummary(db.pool, MAILING)).toMatchObject({ status: 'building' });
  });

  it('of ten at once is one', async () => {
    const id = await failed('b.csv');
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => restartFailedImport(db, id)));
    expect(outcomes.filter((one) => 'restarted' in one)).toHaveLength(1);
    expect(outcomes).toContainEqual({ refused: 'not_failed', status: 'claimed' });
  });

  it.each([
    ['started', 'not_failed', async () => STORED],
    ['nothing', 'unknown', async () => 4_711n],
    ['failed, its file on the way', 'filing', () => failed('b.csv', false)],
    [
      'failed, a newer one of that name after it',
      'superseded',
      async () => {
        const id = await failed('b.csv');
        await db.transaction((sql) => skipImport(sql, id));
        await failed('b.csv');
        return id;
      },
    ],
    [
      'failed, another one being imported',
      'busy',
      async () => {
        const id = await failed('b.csv');
        await db.transaction((sql) => skipImport(sql, id));
        await claim('c.csv');
        return id;
      },
    ],
  ])('of what is %s changes nothing', async (_what, refused, make) => {
    const id = await make();
    const before = await selectImport(db.pool, id);
    expect(await restartFailedImport(db, id)).toMatchObject({ refused });
    expect(await selectImport(db.pool, id)).toEqual(before);
  });

  it('that a poller overtakes is refused as busy', async () => {
    const id = await failed('b.csv');
    await db.transaction((sql) => skipImport(sql, id));
    let outcome: ReturnType<typeof restartFailedImport> | undefined;
    await db.transaction(async (sql) => {
      await sql.query(
        `INSERT INTO import (client_id, directory, file_name, size, modified_at) VALUES ($1, 'import', 'c.csv', 1, now())`,
        [CLIENT],
      );
      outcome = restartFailedImport(db, id);
      await untilOneWaits();
    });
    expect(await outcome).toEqual({ refused: 'busy' });
  });

  it('that overtakes a poller has the directory', async () => {
    const id = await failed('b.csv');
    let claimed: Promise<bigint | null> | undefined;
    await db.transaction(async (sql) => {
      await restartImport(sql, id);
      claimed = insertClaim(db, fileOf('c.csv'));
      await untilOneWaits();
    });
    expect(await claimed).toBeNull();
  });
});

describe('corrected rows', () => {
  it('are kept by line; NULL and empty stay apart; the later one of a line counts', async () => {
    await storeCorrections(db.pool, STORED, [
      { line: 2, values: ['wrong', 'wrong'] },
      { line: 9, values: ["'; DROP TABLE x", ''] },
    ]);
    await storeCorrections(db.pool, STORED, [{ line: 2, values: ['b', null] }]);
    expect(await selectCorrections(db.pool, STORED, null)).toEqual([
      { line: 2n, values: ['b', null] },
      { line: 9n, values: ["'; DROP TABLE x", ''] },
    ]);
    expect(await selectCorrections(db.pool, STORED, [2, 4])).toEqual([{ line: 2n, values: ['b', null] }]);
  });

  it('go when the import is given up', async () => {
    const id = await failed('b.csv');
    await storeCorrections(db.pool, id, [{ line: 1, values: ['a'] }]);
    await db.transaction((sql) => skipImport(sql, id));
    expect(await selectCorrections(db.pool, id, [1])).toEqual([]);
  });
});
