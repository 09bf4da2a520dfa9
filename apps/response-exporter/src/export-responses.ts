import { type Clock, exportPath, type Payload, PermanentError } from '@postloop/contracts';
import {
  type Database,
  type ExportedFile,
  type ExportRun,
  finishExport,
  hasUnfinishedExport,
  planExport,
  selectClientDirectory,
  selectTracesOfExport,
  withLock,
  withSnapshot,
} from '@postloop/db';
import { describeSpan, type Logger, linkTraces, withSpan } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import type { Metrics } from './metrics.js';
import { publishFiles, uploadFiles } from './write-files.js';

export interface ExportDeps {
  db: Database;
  connect: () => Promise<SftpSession>;
  clock: Clock;
  log: Pick<Logger, 'info'>;
  metrics: Metrics;
  /** Aborted when the process is to stop: the run is left as planned unless its files are being named already. */
  signal: AbortSignal;
}

/**
 * One run of a client's response files. Its bounds and names are fixed first; then all seven files are uploaded, and only
 * when all are there they get their names. Whatever happens in between, the next try takes the same run up again.
 * With `resume` there is no new run: one that was planned before is finished, if there still is one.
 * @returns the files; undefined when there was nothing to do or another exporter is at work for this client
 */
export async function exportResponses(
  deps: ExportDeps,
  { clientId, resume }: Pick<Payload<'responseExport'>, 'clientId' | 'resume'>,
): Promise<ExportedFile[] | undefined> {
  const { db, log } = deps;
  if (!(await selectClientDirectory(db.pool, clientId))) throw new PermanentError(`there is no client ${clientId}`);
  const held = await withLock(db, clientId, async () => {
    if (resume && !(await hasUnfinishedExport(db.pool, clientId))) return undefined;
    return withSpan('response.export', { attributes: { 'postloop.client': clientId } }, async () => {
      const run = await planExport(db, clientId, deps.clock.now());
      describeSpan({ 'postloop.export': run.id });
      await linkTraces(() => selectTracesOfExport(db.pool, run));
      return writeRun(deps, run);
    });
  });
  if (!held) log.info({ clientId }, 'another exporter is at work for this client');
  return held?.result;
}

async function writeRun(
  { db, connect, clock, log, metrics, signal }: ExportDeps,
  run: ExportRun,
): Promise<ExportedFile[]> {
  await using sftp = await connect();
  await sftp.makeDirectories([exportPath(run.clientDirectory)]);
  const files = await withSnapshot(db, (client) => uploadFiles(client, run, sftp, signal));
  await publishFiles(run, sftp);
  await finishExport(db.pool, run.id, files);

  for (const { kind, rows } of files) metrics.rows.inc({ kind }, rows);
  metrics.lastExport.set({ client: run.clientId.toString() }, clock.now().getTime() / 1_000);
  log.info({ exportId: run.id, clientId: run.clientId, files }, 'exported');
  return files;
}
