import type { Payload, QueueKey } from '@postloop/contracts';
import { selectUnfinishedExports } from './export.js';
import { type ImportStatus, selectStaleImports } from './import.js';
import { selectForgottenExports } from './reconcile.js';
import { selectIdleBatches } from './send-batch.js';
import type { Sql } from './sql.js';

/** Jobs that should be in the queue, by queue. */
export type ForgottenJobs = { [K in QueueKey]?: Payload<K>[] };

/**
 * What stood still for `afterMs` and somebody should be told of, as jobs. A job that is there after all is not doubled (job IDs),
 * and one that runs twice finds nothing to claim. At most some thousands at once.
 * @param untold batches, too, that nobody took yet
 */
export async function selectForgottenJobs(sql: Sql, afterMs: number, untold: boolean): Promise<ForgottenJobs> {
  const batches = await selectIdleBatches(sql, afterMs, untold);
  const unfinished = await selectUnfinishedExports(sql, afterMs);
  const neverPlanned = await selectForgottenExports(sql, afterMs);
  return {
    ...jobsOfImports(await selectStaleImports(sql, afterMs)),
    mailSend: batches.map((batch) => ({ v: 1, ...batch })),
    responseExport: [
      ...unfinished.map(({ clientId }) => ({ v: 1 as const, clientId, resume: true })),
      ...neverPlanned.map(({ clientId }) => ({ v: 1 as const, clientId, resume: false })),
    ],
  };
}

interface StaleImport {
  id: bigint;
  clientId: bigint;
  status: ImportStatus;
  filed: boolean;
}

/**
 * Who goes on with an import that stands still: the poller with a claim that it did not end, the importer with a claimed
 * file and with one that still lies in `processing/`, the mailing factory with stored rows. The last two may both have
 * something to do.
 */
function jobsOfImports(imports: readonly StaleImport[]): ForgottenJobs {
  const claiming = imports.filter(({ status }) => status === 'claiming');
  const toImport = imports.filter(({ status, filed }) => status !== 'claiming' && (status === 'claimed' || !filed));
  const toBuild = imports.filter(({ status }) => status === 'imported');
  return {
    inboxPoll: [...new Set(claiming.map(({ clientId }) => clientId))].map((clientId) => ({ v: 1, clientId })),
    fileImport: toImport.map(({ id }) => ({ v: 1, importId: id })),
    mailingBuild: toBuild.map(({ id }) => ({ v: 1, importId: id })),
  };
}
