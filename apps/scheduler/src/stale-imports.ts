import type { Payload } from '@postloop/contracts';
import type { ImportStatus } from '@postloop/db';

interface StaleImport {
  id: bigint;
  clientId: bigint;
  status: ImportStatus;
  filed: boolean;
}

export interface ImportJobs {
  inboxPoll: Payload<'inboxPoll'>[];
  fileImport: Payload<'fileImport'>[];
  mailingBuild: Payload<'mailingBuild'>[];
}

/**
 * Who goes on with an import that stands still: the poller with a claim that it did not end, the importer with a claimed
 * file and with one that still lies in `processing/`, the mailing factory with stored rows. The last two may both have
 * something to do.
 */
export function jobsOfImports(imports: readonly StaleImport[]): ImportJobs {
  const claiming = imports.filter(({ status }) => status === 'claiming');
  const toImport = imports.filter(({ status, filed }) => status !== 'claiming' && (status === 'claimed' || !filed));
  const toBuild = imports.filter(({ status }) => status === 'imported');
  return {
    inboxPoll: [...new Set(claiming.map(({ clientId }) => clientId))].map((clientId) => ({ v: 1, clientId })),
    fileImport: toImport.map(({ id }) => ({ v: 1, importId: id })),
    mailingBuild: toBuild.map(({ id }) => ({ v: 1, importId: id })),
  };
}
