import { Readable } from 'node:stream';
import { RetryLater } from '@postloop/contracts';
import { formatRowAs, type Row } from '@postloop/csv-dialect';
import {
  type CsvFileKind,
  copyExportRows,
  csvFilesOf,
  type ExportedFile,
  type ExportRun,
  exportColumns,
  type Snapshot,
} from '@postloop/db';
import { killPoint } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { type FormatReport, formatted } from './file-format.js';
import { FileMeter } from './file-meter.js';
import { exportPaths } from './file-name.js';
import { manifestOf } from './manifest.js';
import { personalisedLinks } from './personalised-links.js';

/** Uploads the files of a run under their temporary names; leftovers of an earlier try are overwritten. */
export async function uploadFiles(
  snapshot: Snapshot,
  run: ExportRun,
  sftp: SftpSession,
  signal: AbortSignal,
): Promise<ExportedFile[]> {
  const files: ExportedFile[] = [];
  for (const kind of csvFilesOf(run.settings)) {
    if (signal.aborted) throw new RetryLater(1_000, 'the exporter is stopping');
    files.push(await uploadCsv(snapshot, run, kind, sftp));
    killPoint('exporter.after-upload');
  }
  if (run.settings.manifest) files.push(await uploadManifest(run, files, sftp));
  return files;
}

async function uploadCsv(
  snapshot: Snapshot,
  run: ExportRun,
  kind: CsvFileKind,
  sftp: SftpSession,
): Promise<ExportedFile> {
  const { name, temporary } = exportPaths(run, kind);
  const meter = new FileMeter();
  const report: FormatReport & { rows: number } = { replaced: 0, rows: 0 };
  const bytes = meter.watch(formatted(records(snapshot, run, kind, report), run.settings, report));
  await sftp.upload(temporary, bytes);
  const { rows, replaced } = report;
  return { kind, name, rows, ...meter.result(), ...(replaced > 0 ? { replaced } : {}) };
}

async function uploadManifest(
  run: ExportRun,
  files: readonly ExportedFile[],
  sftp: SftpSession,
): Promise<ExportedFile> {
  const { name, temporary } = exportPaths(run, 'manifest');
  const meter = new FileMeter();
  await sftp.upload(temporary, meter.watch(Readable.from([manifestOf(run, files)])));
  return { kind: 'manifest', name, rows: files.length, ...meter.result() };
}

/** Header and rows in UTF-8, each ended by LF. The header is not COPY's own, which cuts names at 63 bytes and never quotes them all. */
async function* records(
  snapshot: Snapshot,
  run: ExportRun,
  kind: CsvFileKind,
  report: { rows: number },
): AsyncGenerator<Buffer> {
  const columns = exportColumns(kind, run.settings).map(({ name }) => name);
  if (run.settings.header) yield Buffer.from(formatRowAs(columns, run.settings));
  report.rows = yield* copyExportRows(snapshot, run, kind);
  if (kind !== 'links') return;
  for await (const page of personalisedLinks(snapshot[0], run)) {
    const rows = page.map((link): Row => columns.map((column) => link[column] ?? null));
    report.rows += rows.length;
    yield Buffer.from(rows.map((row) => formatRowAs(row, run.settings)).join(''));
  }
}

/**
 * Gives the uploaded files their names, one by one. A file that is there was published by an earlier try of this run:
 * it holds the same rows and is replaced.
 */
export async function publishFiles(run: ExportRun, files: readonly ExportedFile[], sftp: SftpSession): Promise<void> {
  killPoint('exporter.before-rename');
  for (const [index, { kind }] of files.entries()) {
    const { temporary, final } = exportPaths(run, kind);
    await sftp.rename(temporary, final, { replace: true });
    killPoint('exporter.after-rename');
    if (index === 2) killPoint('exporter.between-renames');
  }
}
