import { type Sql, select, selectOptional } from './sql.js';

export type ProductFileKind = 'products' | 'recommendations';

/** One accepted file of a client's products/. */
export interface ProductVersion {
  id: bigint;
  kind: ProductFileKind;
  /** Header of the file, the ID first. */
  columns: string[];
  rows: bigint;
}

/** The newest version: what a mailing that is built now begins with. */
export function selectCurrentProductVersion(
  sql: Sql,
  clientId: bigint,
  kind: ProductFileKind,
): Promise<ProductVersion | undefined> {
  return selectOptional(
    sql,
    'SELECT id, kind, columns, rows FROM product_version WHERE client_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1',
    [clientId, kind],
  );
}

/** The versions that a mailing began with; null: it needs none. */
export interface PinnedProducts {
  productVersionId: bigint | null;
  recommendationVersionId: bigint | null;
}

/** The mailing keeps these versions, whatever comes in later. */
export async function pinProductVersions(sql: Sql, mailingId: bigint, pinned: PinnedProducts): Promise<void> {
  await sql.query('UPDATE mailing SET product_version_id = $2, recommendation_version_id = $3 WHERE id = $1', [
    mailingId,
    pinned.productVersionId,
    pinned.recommendationVersionId,
  ]);
}

/** A product's row by its columns; those where the file has nothing are left out. */
export interface Product {
  id: string;
  row: Record<string, string>;
}

export function selectProducts(sql: Sql, versionId: bigint, ids: readonly string[]): Promise<Product[]> {
  return select(
    sql,
    `SELECT p.product_id AS id, json_strip_nulls(json_object(v.columns, p."values")) AS row
       FROM product p JOIN product_version v ON v.id = p.version_id WHERE p.version_id = $1 AND p.product_id = ANY($2)`,
    [versionId, ids],
  );
}

/** What each anchor product recommends, best first. */
export function selectRecommendations(
  sql: Sql,
  versionId: bigint,
  ids: readonly string[],
): Promise<{ id: string; recommended: string[] }[]> {
  return select(
    sql,
    'SELECT product_id AS id, recommended FROM product_recommendation WHERE version_id = $1 AND product_id = ANY($2)',
    [versionId, ids],
  );
}

/**
 * Removes versions that were replaced and that no mailing needs any more: none that is not recycled names them.
 * @returns how many
 */
export async function deleteOldProductVersions(sql: Sql): Promise<number> {
  const gone = await select<{ id: bigint }>(
    sql,
    `DELETE FROM product_version v
      WHERE EXISTS (SELECT FROM product_version n WHERE n.client_id = v.client_id AND n.kind = v.kind AND n.id > v.id)
        AND NOT EXISTS (SELECT FROM mailing m WHERE m.product_version_id = v.id OR m.recommendation_version_id = v.id)
     RETURNING v.id`,
  );
  return gone.length;
}
