import { beforeEach, expect, it } from 'vitest';
import { releaseMailingContent } from './content.js';
import { deleteOldProductVersions, type PinnedProducts, pinProductVersions } from './product.js';
import { selectProductData } from './render-data.js';
import { insertMailing, MAILING } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query(`
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status)
      SELECT 100 + n, 5000, 'products', n || '.csv', 1, now(), 'stored' FROM generate_series(1, 4) n;
    INSERT INTO product_version (id, client_id, import_id, kind, columns, rows) VALUES
      (1, 5000, 101, 'products', '{id,name,__proto__}', 2), (2, 5000, 102, 'products', '{id,name}', 1),
      (3, 5000, 103, 'recommendations', '{id,recommended}', 1), (4, 5000, 104, 'products', '{id,name}', 1);
    INSERT INTO product VALUES (1, 'a', '{a,Old,x}'), (1, 'b', '{b,NULL,NULL}'), (2, 'a', '{a,Middle}'), (4, 'a', '{a,New}');
    INSERT INTO product_recommendation VALUES (3, 'a', '{b,gone}');`);
});

const pin = (products: bigint | null, recommendations: bigint | null = null): Promise<void> =>
  pinProductVersions(db.pool, MAILING, { productVersionId: products, recommendationVersionId: recommendations });
const versions = async () =>
  (await db.pool.query('SELECT id FROM product_version ORDER BY id')).rows.map(({ id }) => id);

it('a mail sees the rows of the versions that its mailing began with, and whatever they recommend', async () => {
  const pinned: PinnedProducts = { productVersionId: 1n, recommendationVersionId: 3n };
  const needs = [
    { products: [], anchors: ['a'], content: [] },
    { products: ['a'], anchors: [], content: [] },
  ];
  const { product, recommendations } = await selectProductData(db.pool, pinned, needs);
  expect(recommendations('a')).toEqual(['b', 'gone']);
  expect(Object.entries(product('a') ?? {})).toEqual([
    ['id', 'a'],
    ['name', 'Old'],
    ['__proto__', 'x'],
  ]);
  expect(product('b')).toEqual({ id: 'b' });
  expect([product('gone'), product('toString'), recommendations('b')]).toEqual([undefined, undefined, []]);
});

it('versions that were replaced go, but not before the last mailing that began with them', async () => {
  await pin(1n, 3n);
  expect(await deleteOldProductVersions(db.pool)).toBe(1);
  expect(await versions()).toEqual([1n, 3n, 4n]);
  await releaseMailingContent(db.pool, MAILING);
  expect(await deleteOldProductVersions(db.pool)).toBe(1);
  expect(await versions()).toEqual([3n, 4n]);
  expect((await db.pool.query('SELECT DISTINCT version_id FROM product')).rows).toEqual([{ version_id: 4n }]);
});
