import type { ForSegment } from './mail-program.js';
import { productIds, type RenderData } from './render-data.js';
import { RenderError } from './render-error.js';
import type { ContentRules } from './template-settings.js';

type Product = Readonly<Record<string, string>>;

/**
 * The products that a loop shows: those named (way A), or those that go with them (way B).
 * @param named IDs, separated by commas
 * @throws RenderError when one is not there, or none is named, and the rule is `do_not_send`
 */
export function findProducts(
  { each, limit }: Pick<ForSegment, 'each' | 'limit'>,
  named: unknown,
  data: RenderData,
  rule: ContentRules['missingProduct'],
): Product[] {
  const ids = productIds(named);
  const wanted = each === 'recommendation' ? [...new Set(ids.flatMap((id) => data.recommendations(id)))] : ids;
  const found: Product[] = [];
  let missing: string | null = null;
  for (const id of wanted) {
    const product = data.product(id);
    if (product) found.push(product);
    else missing ??= id;
    // Whoever recommends names more than are needed: one that is gone is no fault while others are left.
    if (!product && each === 'product' && rule === 'do_not_send') throw notThere(id);
  }
  if (found.length === 0 && rule === 'do_not_send') throw notThere(missing ?? ids[0] ?? null);
  const isShort = found.length === 0 || (each === 'product' && missing !== null);
  if (typeof rule === 'object' && isShort) addDefault(found, wanted.indexOf(missing ?? ''), data.product(rule.default));
  return found.slice(0, limit);
}

/** In the place of the first one that is missing, unless it is there already. */
function addDefault(found: Product[], at: number, product: Product | undefined): void {
  if (product && !found.includes(product)) found.splice(at < 0 ? found.length : at, 0, product);
}

function notThere(id: string | null): RenderError {
  return new RenderError(id === null ? 'The mail names no product.' : `There is no product data for "${id}".`);
}
