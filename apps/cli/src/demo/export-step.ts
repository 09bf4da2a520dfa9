import { type Row, readRows } from '@postloop/csv-dialect';
import {
  type Database,
  noResponses,
  type ResponseCategory,
  type ResponseCounts,
  type ResponseFileKind,
  responseFileKinds,
  selectExports,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { SftpSession } from '@postloop/sftp';
import type { AppliedClient } from '../customer-files/apply.js';
import { pathsOf, runExport } from '../operations/run-export.js';

export interface FetchedExport {
  /** Data rows of the files as they lie on the SFTP server. */
  rows: Record<ResponseFileKind, number>;
  /** Rows of the responses files by category. */
  responses: ResponseCounts;
  /** Paths on the SFTP server. */
  paths: string[];
}

/** Asks for an export, waits for it, and fetches the client's files as the customer does. */
export async function exportAndFetch(
  { db, producer, sftp }: { db: Database; producer: Producer; sftp: SftpSession },
  client: AppliedClient,
): Promise<FetchedExport> {
  await runExport({ db, producer }, client.id);
  const rows = Object.fromEntries(responseFileKinds.map((kind) => [kind, 0])) as Record<ResponseFileKind, number>;
  const responses = { ...noResponses };
  const paths: string[] = [];
  for (const run of await selectExports(db.pool, client.id)) {
    paths.push(...pathsOf(run));
    for (const [i, { kind }] of run.files.entries()) {
      let header: Row | undefined;
      for await (const { values } of readRows(sftp.openRead(pathsOf(run)[i] ?? ''))) {
        if (header) rows[kind] += 1;
        if (header && kind === 'responses') responses[categoryIn(header, values)] += 1;
        header ??= values;
      }
    }
  }
  return { rows, responses, paths };
}

function categoryIn(header: Row, values: Row): ResponseCategory {
  const category = values[header.indexOf('category')] ?? '';
  if (isCategory(category)) return category;
  throw new Error(`a responses file has a row of the category "${category}"`);
}

const isCategory = (text: string): text is ResponseCategory => Object.hasOwn(noResponses, text);
