import { Readable } from 'node:stream';
import { RetryLater } from '@postloop/contracts';
import {
  copyExportRows,
  type ExportedFile,
  type ExportRun,
  type ResponseFileKind,
  responseFileKinds,
} from '@postloop/db';
import { killPoint } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { exportPaths } from './file-name.js';
import { personalisedLinkRows } from './personalised-links.js';
import { RecordMeter } from './record-meter.js';

/** A client inside the snapshot that all files of a run are read from. */
type Snapshot = Parameters<typeof copyExportRows>[0];

/** Uploads the seven files of a run under their temporary names; leftovers of an earlier try are overwritten. */
export async function uploadFiles(
  client: Snapshot,
  run: ExportRun,
  sftp: SftpSession,
  signal: AbortSignal,
): Promise<ExportedFile[]> {
  const files: ExportedFile[] = [];
  for (const kind of responseFileKinds) {
    if (signal.aborted) throw new RetryLater(1_000, 'the exporter is stopping');
    const { name, temporary } = exportPaths(run, kind);
    const meter = new RecordMeter();
    await sftp.upload(temporary, Readable.from(metered(fileBytes(client, run, kind), meter), { objectMode: false }));
    files.push({ kind, name, ...meter.result() });
  }
  return files;
}

async function* fileBytes(client: Snapshot, run: ExportRun, kind: ResponseFileKind): AsyncGenerator<Buffer> {
  yield* copyExportRows(client, run, kind);
  if (kind === 'links') yield* personalisedLinkRows(client, run);
}

async function* metered(source: AsyncIterable<Buffer>, meter: RecordMeter): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    meter.update(chunk);
    yield chunk;
  }
}

/**
 * Gives the uploaded files their names, one by one. A file that is there was published by an earlier try of this run:
 * it holds the same rows and is replaced.
 */
export async function publishFiles(run: ExportRun, sftp: SftpSession): Promise<void> {
  killPoint('exporter.before-rename');
  for (const [index, kind] of responseFileKinds.entries()) {
    const { temporary, final } = exportPaths(run, kind);
    await sftp.rename(temporary, final, { replace: true });
    if (index === 2) killPoint('exporter.between-renames');
  }
}
