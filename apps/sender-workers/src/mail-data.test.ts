import type { RecipientToSend } from '@postloop/db';
import { expect, it } from 'vitest';
import { cutByUrls } from './mail-data.js';

const asking = (id: number, ...urls: string[]) => ({
  recipient: { id: BigInt(id), line: BigInt(id), email: '', fields: [], attempts: 0 } satisfies RecipientToSend,
  urls,
});
const cut = (most: number, ...all: ReturnType<typeof asking>[]) =>
  [...cutByUrls(all, most)].map(({ recipients, urls }) => [recipients.map(({ id }) => Number(id)), [...urls]]);

it('recipients who share their content are one part, however many', () => {
  const all = Array.from({ length: 1_000 }, (_, i) => asking(i, 'logo', 'terms'));
  expect(cut(2, ...all)).toEqual([[all.map((_, i) => i), ['logo', 'terms']]]);
});

it('a part holds no more different URLs than it may, and no recipient is left out', () => {
  expect(cut(3, asking(1, 'logo', 'a'), asking(2, 'logo', 'b'), asking(3, 'logo', 'c'), asking(4))).toEqual([
    [
      [1, 2],
      ['logo', 'a', 'b'],
    ],
    [
      [3, 4],
      ['logo', 'c'],
    ],
  ]);
});

it('who names more than that is a part alone', () => {
  expect(cut(1, asking(1, 'a'), asking(2, 'b', 'c'), asking(3, 'a'))).toEqual([
    [[1], ['a']],
    [[2], ['b', 'c']],
    [[3], ['a']],
  ]);
  expect(cut(1)).toEqual([]);
});
