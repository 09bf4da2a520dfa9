import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { LinkBook } from './link-book.js';
import { LinkFile } from './link-file.js';

const link = (mailingId: bigint, ordinal: number) => ({
  mailingId,
  ordinal,
  url: `https://shop.example/${ordinal}`,
  personalised: false,
});

it('a gateway that starts without the database knows the links of its earlier life', async () => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const file = new LinkFile(dir);
  const book = new LinkBook((targets, nowMs) => void file.append(targets, nowMs));
  book.learn([link(9_007_199_254_740_993_000n, 3), link(9_007_199_254_740_993_000n, 4)], 1_000);
  book.learn([link(9_007_199_254_740_993_000n, 3)], 2_000); // known already: not written again
  await file.settled();

  expect(new LinkFile(dir).load(0)).toEqual([
    { target: link(9_007_199_254_740_993_000n, 3), learnedAtMs: 1_000 },
    { target: link(9_007_199_254_740_993_000n, 4), learnedAtMs: 1_000 },
  ]);
});

it('old links and a line that a crash cut off are dropped', async () => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const file = new LinkFile(dir);
  await file.append([link(1n, 3)], 1_000);
  await file.append([link(2n, 3)], 5_000);
  appendFileSync(join(dir, 'links.jsonl'), '{"t":6000,"mailingId":"3","ord');
  expect(new LinkFile(dir).load(2_000).map(({ target }) => target.mailingId)).toEqual([2n]);
  expect(readFileSync(join(dir, 'links.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
});
