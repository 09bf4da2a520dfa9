import type { Database, ExportedFile, ExportRun } from '@postloop/db';
import type { SftpSession } from '@postloop/sftp';
import { Registry } from 'prom-client';
import { exportResponses } from '../export-responses.js';
import { createMetrics } from '../metrics.js';
import type { ExporterFixture } from './exporter-fixture.js';
import { CLIENT } from './finished-mailing.js';

export interface RunOptions {
  now?: string;
  connect?: (client: Pick<ExportRun, 'sftpAccount'>) => Promise<SftpSession>;
  signal?: AbortSignal;
  resume?: boolean;
  /** What the exporter said, with the fields of each line. */
  said?: { line: string; fields: unknown }[];
}

/** What an exporter does with one job. At half past ten at night in UTC it is the next day in Berlin. */
export function runExporter(
  fixture: ExporterFixture,
  db: Database,
  { now = '2026-07-01T22:30:00Z', connect = fixture.connect, said = [], ...given }: RunOptions = {},
): Promise<ExportedFile[] | undefined> {
  const { signal = new AbortController().signal, resume = false } = given;
  const clock = { now: () => new Date(now) };
  const note = (...[fields, line]: unknown[]) => {
    said.push({ line: String(line), fields });
  };
  const log = { info: note, warn: note };
  const metrics = createMetrics(new Registry());
  return exportResponses({ db, connect, clock, log, metrics, signal }, { clientId: CLIENT, resume });
}
