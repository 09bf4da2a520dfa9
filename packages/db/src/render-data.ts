import type { RecipientNeeds, RenderData } from '@postloop/mail-domain';
import { selectFetchedContent } from './content.js';
import { type PinnedProducts, selectProducts, selectRecommendations } from './product.js';
import type { Sql } from './sql.js';

/**
 * The products and recommendations that some mails ask for, by the versions that their mailing began with. A statement for
 * each of both, however many mails.
 */
export async function selectProductData(
  sql: Sql,
  { productVersionId, recommendationVersionId }: PinnedProducts,
  needs: readonly RecipientNeeds[],
): Promise<Pick<RenderData, 'product' | 'recommendations'>> {
  const anchors = unique(needs.flatMap((one) => one.anchors));
  const maps =
    recommendationVersionId === null || anchors.length === 0
      ? []
      : await selectRecommendations(sql, recommendationVersionId, anchors);
  const recommended = new Map(maps.map(({ id, recommended: ids }) => [id, ids]));
  const ids = unique([...needs.flatMap((one) => one.products), ...maps.flatMap((one) => one.recommended)]);
  const rows = productVersionId === null || ids.length === 0 ? [] : await selectProducts(sql, productVersionId, ids);
  const products = new Map(rows.map(({ id, row }) => [id, row]));
  return { product: (id) => products.get(id), recommendations: (id) => recommended.get(id) ?? [] };
}

/** All that some mails show, as it was when they were sent: nothing is fetched. */
export async function selectRenderData(
  sql: Sql,
  mailing: PinnedProducts & { id: bigint },
  needs: readonly RecipientNeeds[],
): Promise<RenderData> {
  const urls = unique(needs.flatMap(({ content }) => content.map(({ url }) => url)));
  const content = urls.length === 0 ? undefined : await selectFetchedContent(sql, mailing.id, urls);
  return { ...(await selectProductData(sql, mailing, needs)), content: (url) => content?.get(url) };
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
