import type { CompiledMail, ContentKind, IdSource } from './mail-program.js';

/** What a URL in a recipient's field led to. */
export interface ReferencedContent {
  bytes: Buffer;
  /** Lower case, without parameters. */
  mediaType: string;
  /** Of a text; UTF-8 when null. */
  charset: string | null;
}

/** What one mail takes from elsewhere. It is asked while the mail is made, so everything lies ready: see `needsOf`. */
export interface RenderData {
  /** The row of a product by its columns. */
  product(id: string): Readonly<Record<string, string>> | undefined;
  /** IDs of the products that go with one, the best first. */
  recommendations(id: string): readonly string[];
  /** Undefined when it could not be fetched. The same object for the same content: what is made of it is kept with it. */
  content(url: string, kind: ContentKind): ReferencedContent | undefined;
}

export const NO_DATA: RenderData = {
  product: () => undefined,
  recommendations: () => [],
  content: () => undefined,
};

export type FieldValues = readonly (string | null)[];

/** What the mail of one recipient will ask for. */
export interface RecipientNeeds {
  /** IDs, the default product among them. */
  products: string[];
  /** IDs whose recommendations, and then the products recommended, are asked for. */
  anchors: string[];
  content: { url: string; kind: ContentKind }[];
}

export function needsOf({ needs, settings }: CompiledMail, fields: FieldValues): RecipientNeeds {
  const fallback = typeof settings.missingProduct === 'object' ? [settings.missingProduct.default] : [];
  const namesProducts = needs.products.length + needs.anchors.length > 0;
  const idsOf = (sources: readonly IdSource[]) =>
    sources.flatMap((source) => productIds('field' in source ? fields[source.field] : source.text));
  return {
    products: [...new Set([...idsOf(needs.products), ...(namesProducts ? fallback : [])])],
    anchors: [...new Set(idsOf(needs.anchors))],
    content: needs.content.flatMap(({ field, kind }) => {
      const url = contentUrl(fields[field]);
      return url === '' ? [] : [{ url, kind }];
    }),
  };
}

/** `001, 002,003` */
export function productIds(text: unknown): string[] {
  const ids = typeof text === 'string' ? text.split(',').map((id) => id.trim()) : [];
  return [...new Set(ids.filter((id) => id !== ''))];
}

export function contentUrl(value: string | null | undefined): string {
  return value?.trim() ?? '';
}
