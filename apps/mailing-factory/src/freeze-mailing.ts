import type { FileFault } from '@postloop/contracts';
import {
  type BuildingMailing,
  type Database,
  freezeAttachments,
  insertMailingContent,
  type PinnedProducts,
  type ProductFileKind,
  pinProductVersions,
  selectCurrentProductVersion,
  selectListFields,
  selectSourceMailingForCopy,
  selectTemplateSettings,
} from '@postloop/db';
import { type CompiledMail, TemplateError } from '@postloop/mail-domain';
import { copySourceMailing } from '@postloop/mail-domain/compile-source';

/**
 * Makes the copy of a source mailing in one transaction: what was written and what it compiles to, the attachments, and which
 * product data its mails show. A copy that stands is kept with all of that. Compiled by the fields of the import's own list:
 * the master list may have changed since the file was read.
 * @returns what is in the way; nothing was made then
 */
export function freezeMailing(db: Database, mailing: BuildingMailing): Promise<FileFault[]> {
  return db.transaction(async (sql) => {
    const source = await selectSourceMailingForCopy(sql, mailing.sourceMailingId);
    if (!source) throw new Error(`source mailing ${mailing.sourceMailingId} is gone`);
    const fields = await selectListFields(sql, mailing.recipientListId);
    const products = await selectCurrentProductVersion(sql, source.clientId, 'products');
    const recommendations = await selectCurrentProductVersion(sql, source.clientId, 'recommendations');
    const settings = { ...(await selectTemplateSettings(sql, source.clientId)), ...source.rules };
    try {
      const copy = await copySourceMailing(source, fields, { productColumns: products?.columns ?? null, settings });
      const needed = neededFiles(copy.program);
      const pinned = {
        productVersionId: (needed.includes('products') && products?.id) || null,
        recommendationVersionId: (needed.includes('recommendations') && recommendations?.id) || null,
      };
      const missing = needed.filter((kind) => pinned[VERSION_OF[kind]] === null);
      if (missing.length > 0) return missing.map((kind) => missingFault(mailing, kind));
      if (await insertMailingContent(sql, mailing.id, copy)) {
        await pinProductVersions(sql, mailing.id, pinned);
        await freezeAttachments(sql, mailing.id, source.id);
      }
      return [];
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return templateFaults(mailing, error);
    }
  });
}

const VERSION_OF: Record<ProductFileKind, keyof PinnedProducts> = {
  products: 'productVersionId',
  recommendations: 'recommendationVersionId',
};

function neededFiles({ needs }: CompiledMail): ProductFileKind[] {
  if (needs.anchors.length > 0) return ['products', 'recommendations'];
  return needs.products.length > 0 ? ['products'] : [];
}

function missingFault({ name }: BuildingMailing, kind: ProductFileKind): FileFault {
  return {
    code: 'product_data',
    line: null,
    column: null,
    message: `source mailing ${name} shows ${kind === 'products' ? 'products' : 'recommended products'}, and no file of ${kind} was imported.`,
    remedy: `Upload one to products/, named as 20260131090000_${kind}.csv, then restart the import.`,
  };
}

function templateFaults({ name }: BuildingMailing, { problems }: TemplateError): FileFault[] {
  return problems.map(({ part, line, column, message, remedy }) => ({
    code: 'template',
    line,
    column,
    message: `source mailing ${name}, ${part}: ${message}`,
    remedy,
  }));
}
