import type { LinkTarget } from '@postloop/db';
import { describe, expect, it } from 'vitest';
import { createFindTarget } from './find-target.js';
import { LinkBook } from './link-book.js';
import { signal } from './testing/segment-file.js';

const clock = { now: () => new Date(0) };
const link = (mailingId: bigint, ordinal: number, personalised = false): LinkTarget => ({
  mailingId,
  ordinal,
  url: `https://shop.example/${mailingId}/${ordinal}`,
  personalised,
});

function finder(selectOfMailing: (mailingId: bigint) => Promise<LinkTarget[]>) {
  const book = new LinkBook();
  return { book, find: createFindTarget({ book, selectOfMailing, clock, timeoutMs: 50 }) };
}

describe('where a link leads', () => {
  it('is known without the database once it was learned', async () => {
    const { book, find } = finder(() => Promise.reject(new Error('away')));
    book.learn([link(1n, 3), link(1n, 4, true)], 0);
    expect(await find(1n, 3)).toEqual({ state: 'known', url: 'https://shop.example/1/3' });
    expect(await find(1n, 4)).toEqual({ state: 'unknown' }); // a template leads nowhere
    expect(await find(1n, 5)).toEqual({ state: 'unknown' });
    expect(await find(2n, 3)).toEqual({ state: 'unavailable' });
  });

  it('is looked up once for all who wait for it', async () => {
    const answer = signal();
    let queries = 0;
    const { find } = finder(async () => {
      queries += 1;
      await answer.fired;
      return [link(9n, 3), link(9n, 4)];
    });
    const found = Promise.all([find(9n, 3), find(9n, 4), find(9n, 5)]);
    answer.fire();
    expect((await found).map(({ state }) => state)).toEqual(['known', 'known', 'unknown']);
    await find(9n, 3);
    expect(queries).toBe(1);
  });

  it('is waited for only so long, and asked for again', async () => {
    let hangs = true;
    const first = signal();
    const { find } = finder(async () => {
      if (hangs) await first.fired;
      if (hangs) throw new Error('connection reset');
      return [link(9n, 3)];
    });
    expect(await find(9n, 3)).toEqual({ state: 'unavailable' });
    first.fire();
    await expect.poll(() => find(9n, 3)).toEqual({ state: 'unavailable' });
    hangs = false;
    await expect.poll(() => find(9n, 3)).toMatchObject({ state: 'known' });
  });

  it('is forgotten after its time', () => {
    const { book } = finder(() => Promise.resolve([]));
    book.learn([link(1n, 3)], 1_000);
    book.learn([link(2n, 3)], 2_000);
    book.forget(2_000);
    expect([book.find(1n, 3), book.find(2n, 3)]).toMatchObject([undefined, { ordinal: 3 }]);
  });
});
