import type { CompiledMail } from '@postloop/mail-domain';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  claimContent,
  deleteUnusedBlobs,
  erasePersonalContent,
  keepContent,
  releaseMailingContent,
  selectContentUrls,
  selectFetchedContent,
} from './content.js';
import { insertMailingContent } from './mailing.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query('TRUNCATE blob CASCADE');
});

const A = 'https://cdn.example/a';
const B = 'https://cdn.example/b';
const text = (value: string) => ({ bytes: Buffer.from(value), mediaType: 'text/plain', charset: null });
const claim = (urls: string[], leaseMs = 60_000) => claimContent(db.pool, MAILING, urls, leaseMs);
const blobs = async () => (await db.pool.query('SELECT bytes FROM blob ORDER BY bytes')).rows.map((r) => `${r.bytes}`);
const age = () => db.pool.query(`UPDATE blob SET created_at = now() - interval '2 days'`);

describe('a URL of a mailing', () => {
  it('is one worker’s to fetch; the others wait for it, and find what it kept', async () => {
    expect(await claim([A, B])).toEqual({ mine: expect.arrayContaining([A, B]), others: [] });
    expect(await claim([A])).toEqual({ mine: [], others: [A] });
    await keepContent(db.pool, MAILING, A, text('hello'));
    expect(await claim([B, A])).toEqual({ mine: [], others: [B] });
    expect(await selectFetchedContent(db.pool, MAILING, [A, B])).toEqual(new Map([[A, text('hello')]]));
  });

  it('is given to one of many that ask at once', async () => {
    const urls = Array.from({ length: 30 }, (_, i) => `${A}${i}`);
    const claims = await Promise.all([urls, [...urls].reverse(), urls, urls].map((asked) => claim(asked)));
    expect(claims.flatMap(({ mine }) => mine).sort()).toEqual([...urls].sort());
    for (const { mine, others } of claims) expect(mine.length + others.length).toBe(30);
  });

  it('is free again when who fetched it fell silent', async () => {
    await claim([A]);
    expect(await claim([A], 0)).toEqual({ mine: [A], others: [] });
  });

  it('keeps its first answer, a failure as well', async () => {
    await claim([A, B]);
    await keepContent(db.pool, MAILING, A, text('first'));
    await keepContent(db.pool, MAILING, A, text('second'));
    await keepContent(db.pool, MAILING, B, { fault: 'timeout', message: 'no answer' });
    await keepContent(db.pool, MAILING, B, text('late'));
    expect(await claim([A, B])).toEqual({ mine: [], others: [] });
    expect(await selectFetchedContent(db.pool, MAILING, [A, B])).toEqual(new Map([[A, text('first')]]));
  });
});

it('the same bytes are there once, and the same object in a cache', async () => {
  const cache = new Map();
  await claim([A, B]);
  await keepContent(db.pool, MAILING, A, text('same'));
  await keepContent(db.pool, MAILING, B, text('same'));
  expect(await blobs()).toEqual(['same']);
  const found = await selectFetchedContent(db.pool, MAILING, [A, B], cache);
  const again = await selectFetchedContent(db.pool, MAILING, [B], cache);
  expect(again.get(B)).toBe(found.get(A));
  expect(found.get(B)).toBe(found.get(A));
});

describe('URLs in fields', () => {
  const set = (index: number, ...fields: string[]) =>
    db.pool.query('UPDATE mailing_recipient SET fields = $2 WHERE id = $1', [RECIPIENTS[index], fields]);

  it('come in the order of the file, each once, one at least of each host', async () => {
    await set(0, 'x', `${A}?1`, B);
    await set(1, 'x', `${A}?1`, '');
    await set(2, 'x', `  ${A}?2 `, 'https://other.example:8443/x');
    await set(3, 'x', 'ftp://third.example', 'HTTPS://OTHER.example/y');
    const { urls, hosts } = await selectContentUrls(db.pool, MAILING, [1, 2], { urls: 3, hosts: 10 });
    expect(urls).toMatchObject([
      { url: `${A}?1`, line: 1n, column: 2 },
      { url: B, line: 1n, column: 3 },
      { url: `${A}?2`, line: 3n, column: 2 },
    ]);
    expect(hosts.map(({ url }) => url)).toEqual([
      `${A}?1`,
      'https://other.example:8443/x',
      'ftp://third.example',
      'HTTPS://OTHER.example/y',
    ]);
  });

  it('of an erased person: what only that person had is forgotten, what others see stays', async () => {
    const needs = { products: [], anchors: [], content: [{ field: 1, kind: 'text' }] };
    const program = { version: 2, links: [], needs } as unknown as CompiledMail;
    await insertMailingContent(db.pool, MAILING, { contentHash: Buffer.alloc(32), source: {}, program });
    await set(0, 'x', `${A}/invoice `);
    await set(1, 'x', B);
    await set(2, 'x', B);
    await claim([`${A}/invoice`, B]);
    await keepContent(db.pool, MAILING, `${A}/invoice`, text('private'));
    await keepContent(db.pool, MAILING, B, text('shared'));
    const of = (index: number) => ({ mailingId: MAILING, id: RECIPIENTS[index] ?? 0n });
    await erasePersonalContent(db.pool, [of(0), of(1)]);
    expect(await blobs()).toEqual(['shared']);
    expect([...(await selectFetchedContent(db.pool, MAILING, [`${A}/invoice`, B])).keys()]).toEqual([B]);
  });
});

it('what no mailing shows any more goes, but not what is only just there', async () => {
  await claim([A]);
  await keepContent(db.pool, MAILING, A, text('shown'));
  await db.pool.query(`INSERT INTO blob (sha256, bytes) VALUES ('a', 'left over')`);
  await age();
  expect(await deleteUnusedBlobs(db.pool)).toBe(1);
  expect(await blobs()).toEqual(['shown']);
  await releaseMailingContent(db.pool, MAILING);
  await keepContent(db.pool, MAILING, B, text('shown')); // by another mailing, meanwhile
  await db.pool.query('DELETE FROM fetched_content');
  expect(await deleteUnusedBlobs(db.pool)).toBe(0);
  await age();
  expect(await deleteUnusedBlobs(db.pool)).toBe(1);
  expect(await blobs()).toEqual([]);
});
