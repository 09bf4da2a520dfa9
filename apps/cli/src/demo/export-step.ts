import { readRows } from '@postloop/csv-dialect';
import { type Database, type ResponseFileKind, responseFileKinds, selectExports } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { SftpSession } from '@postloop/sftp';
import type { AppliedClient } from '../customer-files/apply.js';
import { pathsOf, runExport } from '../operations/run-export.js';

export interface FetchedExport {
  /** Data rows of the files as they lie on the SFTP server. */
  rows: Record<ResponseFileKind, number>;
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
  const paths: string[] = [];
  for (const run of await selectExports(db.pool, client.id)) {
    paths.push(...pathsOf(run));
    for (const [i, { kind }] of run.files.entries())
      for await (const { line } of readRows(sftp.openRead(pathsOf(run)[i] ?? ''))) if (line > 1) rows[kind] += 1;
  }
  return { rows, paths };
}
