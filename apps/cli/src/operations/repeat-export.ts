import {
  type Database,
  type ExportRun,
  repeatExport as planRepeat,
  type ResponseFileKind,
  selectExport,
} from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { Problem } from '../support/problem.js';
import { until } from '../support/until.js';

/**
 * Has a finished run written once more and waits for it.
 * @returns the run, and which of its files are other bytes than before
 * @throws Problem when the run is not finished
 */
export async function repeatExport(
  { db, producer }: { db: Database; producer: Producer },
  before: ExportRun,
  deadlineMs?: number,
): Promise<{ run: ExportRun; changed: ResponseFileKind[] }> {
  if (!(await planRepeat(db.pool, before.id)))
    throw new Problem(`export ${before.id} is being written`, 'Wait until `postloop export list` says done.');
  await producer.enqueue('responseExport', { v: 1, clientId: before.clientId, resume: true });
  let run = before;
  await until(
    'the export is finished',
    async () => {
      run = (await selectExport(db.pool, before.id)) ?? run;
      return run.status === 'done';
    },
    deadlineMs,
  );
  const hashes = new Map(before.files.map(({ kind, sha256 }) => [kind, sha256]));
  const changed = run.files.filter(({ kind, sha256 }) => hashes.get(kind) !== sha256);
  return { run, changed: changed.map(({ kind }) => kind) };
}
