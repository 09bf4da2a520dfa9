import { FieldNames } from './field-names.js';
import type { MailSource, ProgramNeeds } from './mail-program.js';
import { SPECIAL_LINKS } from './template.js';

/** What the templates of one mailing may name, and what they were found to need. */
export interface TemplateContext {
  fields: FieldNames;
  booleanFields: ReadonlySet<number>;
  /** Null: any. */
  productColumns: readonly string[] | null;
  needs: ProgramNeeds;
}

export function templateContext({
  fields,
  booleanFields = [],
  productColumns = null,
}: Pick<MailSource, 'fields' | 'booleanFields' | 'productColumns'>): TemplateContext {
  return {
    fields: new FieldNames(fields, SPECIAL_LINKS),
    booleanFields: new Set(booleanFields),
    productColumns,
    needs: { products: [], anchors: [], content: [] },
  };
}

export function addOnce<T extends object>(list: T[], item: T): void {
  const text = JSON.stringify(item);
  if (!list.some((one) => JSON.stringify(one) === text)) list.push(item);
}
