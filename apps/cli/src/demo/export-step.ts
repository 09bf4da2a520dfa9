import { exportPath } from '@postloop/contracts';
import { readRows } from '@postloop/csv-dialect';
import { type Database, type ResponseFileKind, responseFileKinds, selectExports } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { SftpSession } from '@postloop/sftp';
import type { AppliedClient } from '../customer-files.js';
import { until } from './until.js';

export interface FetchedExport {
  /** Data rows of the files as they lie on the SFTP server. */
  rows: Record<ResponseFileKind, number>;
  /** Paths on the SFTP server. */
  paths: string[];
}

/** Asks for an export, waits for it, and fetches its files as the customer does. */
export async function exportAndFetch(
  { db, producer, sftp }: { db: Database; producer: Producer; sftp: SftpSession },
  client: AppliedClient,
): Promise<FetchedExport> {
  const before = (await selectExports(db.pool, client.id)).length;
  await producer.enqueue('responseExport', { v: 1, clientId: client.id, resume: false });
  await until('the export is finished', async () => {
    const runs = await selectExports(db.pool, client.id);
    return runs.length > before && runs.every(({ status }) => status === 'done');
  });
  const rows = Object.fromEntries(responseFileKinds.map((kind) => [kind, 0])) as Record<ResponseFileKind, number>;
  const paths: string[] = [];
  for (const run of await selectExports(db.pool, client.id)) {
    for (const { kind, name } of run.files) {
      const path = `${exportPath(client.directory)}/${name}`;
      paths.push(path);
      for await (const { line } of readRows(sftp.openRead(path))) if (line > 1) rows[kind] += 1;
    }
  }
  return { rows, paths };
}
