import { type Database, type ListField, selectCurrentProductVersion, selectTemplateSettings } from '@postloop/db';
import { TemplateError, type TemplatePart, type TemplateSettings } from '@postloop/mail-domain';
import type { MailingCopy } from '@postloop/mail-domain/compile-source';
import { readClientFile } from '../customer-files/client-file.js';
import type { FileProblem } from '../customer-files/customer-file-error.js';
import { findClientFile, type SourceFiles } from '../customer-files/source-files.js';
import { Problem } from '../support/problem.js';

/** A field as templates and rows need it. */
export interface NamedField {
  name: string;
  type: string;
  role: string | null;
}

/** What templates may name: fields, and the columns of the product data; null when nobody knows those here. */
export interface TemplateNames {
  fields: readonly NamedField[];
  productColumns: readonly string[] | null;
  settings: Partial<TemplateSettings>;
}

/** Compiles a source mailing as the mailing factory does. @returns the copy, or every problem with its file and place */
export async function compileFolder(
  source: SourceFiles,
  { fields, productColumns, settings }: TemplateNames,
): Promise<{ copy: MailingCopy } | { problems: FileProblem[] }> {
  // Only here: mjml takes its time to load.
  const { copySourceMailing } = await import('@postloop/mail-domain/compile-source');
  try {
    return {
      copy: await copySourceMailing(source, fields, { productColumns, settings: { ...settings, ...source.rules } }),
    };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return {
      problems: error.problems.map(({ part, line, column, message, remedy }) => ({
        file: fileOf(source, part),
        path: part === 'html' || part === 'text' ? `line ${line}, column ${column}` : part,
        message,
        remedy,
      })),
    };
  }
}

function fileOf({ files }: SourceFiles, part: TemplatePart): string {
  return part === 'html' || part === 'text' ? files[part] : files.json;
}

/** What templates in a folder may name, by the client.json they belong to. @throws Problem, CustomerFileError */
export function namesBeside(folder: string): TemplateNames {
  const file = findClientFile(folder);
  if (file === undefined)
    throw new Problem(
      `no client.json belongs to ${folder}`,
      'Name the client with --client, or put its client.json beside the folder or above it.',
      2,
    );
  const { masterList, timeZone, locale } = readClientFile(file);
  return { fields: masterList.fields, productColumns: null, settings: { timeZone, locale } };
}

/** The same of a client in the database. */
export async function namesOf(
  { pool }: Database,
  client: { id: bigint; list: { fields: ListField[] } },
): Promise<TemplateNames> {
  const products = await selectCurrentProductVersion(pool, client.id, 'products');
  const settings = await selectTemplateSettings(pool, client.id);
  return { fields: client.list.fields, productColumns: products?.columns ?? null, settings };
}
