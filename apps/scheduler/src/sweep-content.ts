import { type Database, deleteOldProductVersions, deleteUnusedBlobs } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';

/** Removes product data, attachments and fetched content that no mailing shows any more. Any number may do it at once. */
export async function sweepContent({ db, log }: { db: Database; log: Pick<Logger, 'info'> }): Promise<void> {
  const versions = await deleteOldProductVersions(db.pool);
  let blobs = 0;
  for (let some = await deleteUnusedBlobs(db.pool); some > 0; some = await deleteUnusedBlobs(db.pool)) blobs += some;
  if (versions + blobs > 0) log.info({ versions, blobs }, 'product data and content that nothing shows are gone');
}
