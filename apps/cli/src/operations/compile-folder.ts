import { TemplateError, type TemplatePart } from '@postloop/mail-domain';
import { copySourceMailing, type MailingCopy } from '@postloop/mail-domain/compile-source';
import { readClientFile } from '../customer-files/client-file.js';
import type { FileProblem } from '../customer-files/customer-file-error.js';
import { findClientFile, type SourceFiles } from '../customer-files/source-files.js';
import { Problem } from '../support/problem.js';

/** A field as templates and rows need it. */
export interface NamedField {
  name: string;
  role: string | null;
}

/** Compiles a source mailing as the mailing factory does. @returns the copy, or every problem with its file and place */
export async function compileFolder(
  source: SourceFiles,
  fields: readonly NamedField[],
): Promise<{ copy: MailingCopy } | { problems: FileProblem[] }> {
  // Only here: mjml takes its time to load.
  const { default: mjml } = await import('mjml');
  try {
    return { copy: await copySourceMailing(source, fields, mjml) };
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

/** The fields that templates in a folder may name, by the client.json they belong to. @throws Problem, CustomerFileError */
export function fieldsBeside(folder: string): NamedField[] {
  const file = findClientFile(folder);
  if (file === undefined)
    throw new Problem(
      `no client.json belongs to ${folder}`,
      'Name the client with --client, or put its client.json beside the folder or above it.',
      2,
    );
  return readClientFile(file).masterList.fields;
}
