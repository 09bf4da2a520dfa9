import { type Clock, exportPath, type Payload, PermanentError } from '@postloop/contracts';
import {
  type Database,
  type ExportedFile,
  type ExportRun,
  finishExport,
  planExport,
  type ResponseFileKind,
  selectClientDirectory,
  selectClientSettings,
  selectPlannedExports,
  selectTracesOfExport,
  withLock,
  withSnapshot,
} from '@postloop/db';
import { describeSpan, killPoint, type Logger, linkTraces, withSpan } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import type { Metrics } from './metrics.js';
import { publishFiles, uploadFiles } from './write-files.js';

export interface ExportDeps {
  db: Database;
  /** Opens a session of the client's SFTP account. */
  connect: (client: Pick<ExportRun, 'sftpAccount'>) => Promise<SftpSession>;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn'>;
  metrics: Metrics;
  /** Aborted when the process is to stop: the run is left as planned unless its files are being named already. */
  signal: AbortSignal;
}

/**
 * One run of a client's response files. Its bounds, names and settings are fixed first; then all files are uploaded, and only
 * when all are there they get their names. Whatever happens in between, the next try takes the same run up again.
 * With `resume` there is no new run: those that were planned before are finished, if there still are any, and those that are
 * to be repeated are written again.
 * @returns the files of the last run; undefined when there was nothing to do, another exporter is at work for this client, or
 * its export module is off
 */
export async function exportResponses(
  deps: ExportDeps,
  { clientId, resume }: Pick<Payload<'responseExport'>, 'clientId' | 'resume'>,
): Promise<ExportedFile[] | undefined> {
  const { db, log } = deps;
  if (!(await selectClientDirectory(db.pool, clientId))) throw new PermanentError(`there is no client ${clientId}`);
  if (!(await selectClientSettings(db.pool, clientId)).modules.export) {
    log.info({ clientId }, 'the export module of this client is off');
    return undefined;
  }
  const held = await withLock(db, clientId, async () => {
    const runs = resume ? await selectPlannedExports(db, clientId) : [await planExport(db, clientId, deps.clock.now())];
    killPoint('exporter.after-plan');
    let files: ExportedFile[] | undefined;
    for (const run of runs) files = await traced(deps, run);
    return files;
  });
  if (!held) log.info({ clientId }, 'another exporter is at work for this client');
  return held?.result;
}

function traced(deps: ExportDeps, run: ExportRun): Promise<ExportedFile[]> {
  return withSpan('response.export', { attributes: { 'postloop.client': run.clientId } }, async () => {
    describeSpan({ 'postloop.export': run.id });
    await linkTraces(() => selectTracesOfExport(deps.db.pool, run));
    return writeRun(deps, run);
  });
}

async function writeRun(deps: ExportDeps, run: ExportRun): Promise<ExportedFile[]> {
  const { db, connect, signal } = deps;
  await using sftp = await connect(run);
  await sftp.makeDirectories([exportPath(run.clientDirectory)]);
  const files = await withSnapshot(db, run, (snapshot) => uploadFiles(snapshot, run, sftp, signal));
  await publishFiles(run, files, sftp);
  killPoint('exporter.before-done');
  await finishExport(db.pool, run.id, files);
  report(deps, run, files);
  return files;
}

function report({ log, metrics, clock }: ExportDeps, run: ExportRun, files: readonly ExportedFile[]): void {
  const { id: exportId, clientId } = run;
  const substituted = files.filter(({ replaced }) => replaced).map(({ name, replaced }) => ({ name, replaced }));
  if (substituted.length > 0)
    log.warn({ exportId, clientId, substituted }, `characters that ${run.settings.encoding} does not have are ? now`);
  if (run.files.length > 0) {
    const changed = changedFiles(run.files, files);
    if (changed.length === 0) log.info({ exportId, clientId }, 'exported again, byte for byte');
    else
      log.warn(
        { exportId, clientId, changed },
        'exported again, and not the same: data of recipients was erased or recycled since',
      );
    return;
  }
  for (const { kind, rows } of files) if (kind !== 'manifest') metrics.rows.inc({ kind }, rows);
  metrics.lastExport.set({ client: clientId.toString() }, clock.now().getTime() / 1_000);
  log.info({ exportId, clientId, files }, 'exported');
}

function changedFiles(before: readonly ExportedFile[], after: readonly ExportedFile[]): ResponseFileKind[] {
  const hashes = new Map(before.map(({ kind, sha256 }) => [kind, sha256]));
  return after.filter(({ kind, sha256 }) => hashes.get(kind) !== sha256).map(({ kind }) => kind);
}
