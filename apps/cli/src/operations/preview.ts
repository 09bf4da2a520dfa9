import { createReadStream } from 'node:fs';
import { CsvFault, type Row, readRows } from '@postloop/csv-dialect';
import {
  type Attachment,
  type CompiledMail,
  createKeyring,
  createRenderer,
  type RenderData,
  RenderError,
} from '@postloop/mail-domain';
import PostalMime from 'postal-mime';
import { Problem } from '../support/problem.js';
import type { NamedField } from './compile-folder.js';

export interface Preview {
  /** Physical line of the row. */
  line: number;
  email: string;
  subject: string;
  /** The whole message, as it would go out but for the keys of its links. */
  eml: Buffer;
  html: string;
  text: string;
}

/** The row at a physical line of a recipient file, or the first one. @throws Problem */
export async function readRow(
  file: string,
  columns: number,
  line: number | undefined,
): Promise<{ line: number; values: Row }> {
  try {
    for await (const row of readRows(createReadStream(file), { columns }))
      if (line === undefined || row.line === line) return row;
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    throw new Problem(`${file}: line ${error.line}: ${error.message}`, error.remedy, 1, { cause: error });
  }
  throw line === undefined
    ? new Problem(`${file} has no rows`, 'Name a file with recipients.')
    : new Problem(`${file} has no row that begins in line ${line}`, 'Choose another --line.');
}

/**
 * Makes the mail of one row with keys and addresses that lead nowhere. Nothing is fetched: content from URLs is left out, or its
 * default is shown. @throws Problem
 */
export async function renderPreview(
  program: CompiledMail,
  fields: readonly NamedField[],
  row: { line: number; values: Row },
  extras: { data: RenderData; attachments: readonly Attachment[] },
): Promise<Preview> {
  const renderer = createRenderer(withoutContent(program), {
    attachments: extras.attachments,
    mailingId: 1n,
    clientId: 1n,
    keyring: createKeyring({ keys: [{ id: 0, secret: Buffer.alloc(32) }], current: 0 }),
    publicUrl: 'https://preview.invalid',
    returnPathDomain: 'bounces.preview.invalid',
    listId: 'list.preview.invalid',
  });
  const email = (row.values[fields.findIndex(({ role }) => role === 'email')] ?? '').trim();
  try {
    const { data } = renderer.render({ id: 1n, email, fields: row.values }, new Date(), extras.data);
    const mail = await PostalMime.parse(data);
    const { subject = '', html = '', text = '' } = mail;
    return { line: row.line, email, subject, eml: Buffer.from(data), html, text };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    throw new Problem(
      `line ${row.line} gets no mail: ${error.message}`,
      'Correct the row, choose another --line, or name product data with --products.',
    );
  }
}

function withoutContent(program: CompiledMail): CompiledMail {
  const { missingContent } = program.settings;
  if (missingContent !== 'do_not_send') return program;
  return { ...program, settings: { ...program.settings, missingContent: 'skip_block' } };
}
