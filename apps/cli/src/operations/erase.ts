import { exportPath } from '@postloop/contracts';
import {
  type Database,
  type Erased,
  type ErasureObstacles,
  eraseAddress,
  lacksRecycled,
  type Mention,
  selectClients,
  selectErasureObstacles,
  selectMentions,
  stopSendingTo,
} from '@postloop/db';
import { SftpNotFound, type SftpSession } from '@postloop/sftp';
import type { Connections } from '../connections.js';
import { Problem } from '../support/problem.js';
import type { Progress } from '../support/progress.js';
import { until } from '../support/until.js';
import { eraseFiles } from './erase-files.js';
import { repeatExport } from './repeat-export.js';

export interface ErasedAddress {
  /** Mails that were due and are not sent. */
  stopped: number;
  rows: Erased;
  files: {
    rewritten: string[];
    removed: string[];
    /** The person to ask about these is the customer. */
    left: string[];
  };
  /** Where the address still stands in the database; null when nobody asked. */
  mentions: Mention[] | null;
}

interface Options {
  progress: Progress;
  /** How long mails and runs that are under way may take. */
  deadlineMs: number;
  verify: boolean;
}

/**
 * Erases an address: stops what is due to it, waits until nothing moves that would write it again, then the tables, the files,
 * and the response files anew from the tables. Every step may be repeated, so a command that broke off is given again.
 * @param address trimmed, in lower case @throws Problem
 */
export async function erase(
  { db, producer, sftp }: Connections,
  address: string,
  { progress, deadlineMs, verify }: Options,
): Promise<ErasedAddress> {
  const stopped = await stopSendingTo(db.pool, address);
  await untilQuiet(db, address, deadlineMs);
  progress.step('erasing in the database');
  const rows = await eraseAddress(db, address);
  const files: ErasedAddress['files'] = { rewritten: [], removed: [], left: [] };
  for (const client of await selectClients(db.pool)) {
    progress.step(`looking through the files of ${client.name}`);
    const session = await sftp(client);
    const found = await eraseFiles(db, session, client, address);
    files.rewritten.push(...found.rewritten);
    files.left.push(...found.left);
    for (const run of found.runs) {
      const paths = run.files.map(({ name }) => `${exportPath(run.clientDirectory)}/${name}`);
      if (await lacksRecycled(db.pool, run)) {
        for (const path of paths) await removeFile(session, path);
        files.removed.push(...paths);
      } else {
        progress.step(`writing export ${run.id} again`);
        await repeatExport({ db, producer }, run, deadlineMs);
        files.rewritten.push(...paths);
      }
    }
  }
  return { stopped, rows, files, mentions: verify ? await selectMentions(db.pool, address) : null };
}

async function untilQuiet(db: Database, address: string, deadlineMs: number): Promise<void> {
  let obstacles: ErasureObstacles = { inFlight: 0, inbound: 0 };
  try {
    await until(
      'nothing about the address moves',
      async () => {
        obstacles = await selectErasureObstacles(db.pool, address);
        return obstacles.inFlight + obstacles.inbound === 0;
      },
      deadlineMs,
    );
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(
      `${obstacles.inFlight} mails to the address are being handed over, ${obstacles.inbound} that came back are being looked at`,
      'Give the command again: sender-workers and inbound-mail must run. No further mail is sent meanwhile.',
    );
  }
}

async function removeFile(sftp: SftpSession, path: string): Promise<void> {
  await sftp.remove(path).catch((error: unknown) => {
    if (!(error instanceof SftpNotFound)) throw error;
  });
}
