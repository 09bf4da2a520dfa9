import { describeFault } from '@postloop/contracts';
import { type Database, selectDeliveryCounts } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { SftpSession } from '@postloop/sftp';
import type { AppliedClient } from '../customer-files/apply.js';
import { followImport, newestImport } from '../operations/follow-import.js';
import { uploadRecipientFile } from '../operations/upload.js';
import type { Progress } from '../support/progress.js';

export interface SentFigures {
  imported: number;
  mailings: number;
  sent: number;
  unknown: number;
}

/** Uploads a recipient file as a customer does, asks for a poll, and waits until its mailings are finished. */
export async function importAndSend(
  context: { db: Database; producer: Producer; sftp: SftpSession; progress: Progress },
  client: AppliedClient,
  fileName: string,
  file: Buffer,
): Promise<SentFigures> {
  const { db, producer, sftp, progress } = context;
  progress.step(`uploading ${fileName} under a temporary name, then renaming it`);
  const after = await newestImport(db, client.id, fileName);
  await uploadRecipientFile(sftp, { clientDirectory: client.directory, directory: 'import', fileName }, file);
  await producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
  const { row, mailings } = await followImport(context, { clientId: client.id, fileName, after });
  if (row.status === 'failed') throw new Error(`the file was rejected: ${row.faults?.map(describeFault).join('; ')}`);
  const counts = await selectDeliveryCounts(db.pool, row.id);
  return {
    imported: Number(row.rows),
    mailings: mailings.length,
    sent: counts.sent ?? 0,
    unknown: counts.unknown ?? 0,
  };
}
