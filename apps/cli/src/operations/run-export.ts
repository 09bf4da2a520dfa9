import { exportPath } from '@postloop/contracts';
import { type Database, type ExportRun, selectExports } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import { until } from '../support/until.js';

/**
 * Asks for a client's response files and waits for them. A run that was planned before and not finished is finished instead
 * of beginning another. @returns the run
 */
export async function runExport(
  { db, producer }: { db: Database; producer: Producer },
  clientId: bigint,
  deadlineMs?: number,
): Promise<ExportRun> {
  const earlier = await selectExports(db.pool, clientId);
  const doneBefore = new Set(earlier.filter(({ status }) => status === 'done').map(({ id }) => id));
  await producer.enqueue('responseExport', { v: 1, clientId, resume: false });
  let run: ExportRun | undefined;
  await until(
    'the export is finished',
    async () => {
      const runs = await selectExports(db.pool, clientId);
      run = runs.find(({ id, status }) => status === 'done' && !doneBefore.has(id));
      return run !== undefined;
    },
    deadlineMs,
  );
  if (!run) throw new Error('unreachable');
  return run;
}

/** Where the files of a run lie on the SFTP server. */
export function pathsOf(run: Pick<ExportRun, 'files'> & { clientDirectory: string }): string[] {
  return run.files.map(({ name }) => `${exportPath(run.clientDirectory)}/${name}`);
}
