import { clientDirectories, describeFault, inboxPaths } from '@postloop/contracts';
import { type Database, selectDeliveryCounts, selectImportReport, selectMailingProgress } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { SftpSession } from '@postloop/sftp';
import type { AppliedClient } from '../customer-files.js';
import type { Progress } from './progress.js';
import { until } from './until.js';

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
  await sftp.makeDirectories(clientDirectories(client.directory));
  await sftp.putAtomic(`${inboxPaths(client.directory, 'import').inbox}/${fileName}`, file);
  await producer.enqueue('inboxPoll', { v: 1, clientId: client.id });

  const bar = progress.bar('sending');
  let importId = 0n;
  await until('the file is imported and its mailings are finished', async () => {
    const report = await selectImportReport(db.pool, client.id, fileName);
    if (!report || report.status === 'claiming' || report.status === 'claimed') return false;
    if (report.status === 'failed')
      throw new Error(`the file was rejected: ${report.faults?.map(describeFault).join('; ')}`);
    importId = report.id;
    const mailings = await selectMailingProgress(db.pool, report.id);
    const total = mailings.reduce((sum, mailing) => sum + Number(mailing.recipients), 0);
    if (total > 0)
      bar(
        mailings.reduce((sum, mailing) => sum + Number(mailing.done), 0),
        total,
      );
    return mailings.length > 0 && mailings.every((mailing) => mailing.status === 'finished');
  });
  const report = await selectImportReport(db.pool, client.id, fileName);
  const mailings = await selectMailingProgress(db.pool, importId);
  const counts = await selectDeliveryCounts(db.pool, importId);
  return {
    imported: Number(report?.rows ?? 0n),
    mailings: mailings.length,
    sent: counts.sent ?? 0,
    unknown: counts.unknown ?? 0,
  };
}
