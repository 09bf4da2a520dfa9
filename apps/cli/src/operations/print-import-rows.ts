import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatRow } from '@postloop/csv-dialect';
import { type Database, type ImportedRow, type RowStatus, rowStatuses, selectImportRows } from '@postloop/db';
import { printable, toJson } from '../support/format.js';
import { Problem } from '../support/problem.js';

/** A status as a person types it; null without one: all. @throws Problem */
export function parseRowStatus(text: string | true): RowStatus | null {
  if (text === true) return null;
  const status = rowStatuses.find((one) => one === text);
  if (!status) throw new Problem(`no row has the status ${text}`, `Write one of: ${rowStatuses.join(', ')}.`, 2);
  return status;
}

/**
 * Prints what became of each row of a file, as it comes: in the dialect of the files with the header `line;status;reason`, or as
 * a JSON array.
 */
export async function printImportRows(
  db: Database,
  importId: bigint,
  status: RowStatus | null,
  json: boolean,
): Promise<void> {
  const rows = selectImportRows(db, importId, status);
  await pipeline(Readable.from(json ? asJson(rows) : asText(rows)), process.stdout, { end: false });
}

async function* asText(rows: AsyncIterable<ImportedRow[]>): AsyncGenerator<string> {
  yield formatRow(['line', 'status', 'reason']);
  for await (const some of rows)
    yield some
      .map(({ line, status, reason }) =>
        formatRow([line.toString(), status, reason === null ? null : printable(reason)]),
      )
      .join('');
}

async function* asJson(rows: AsyncIterable<ImportedRow[]>): AsyncGenerator<string> {
  let opening = '[';
  for await (const some of rows) {
    yield `${opening}${some.map(toJson).join(',')}`;
    opening = ',';
  }
  yield opening === '[' ? '[]\n' : ']\n';
}
