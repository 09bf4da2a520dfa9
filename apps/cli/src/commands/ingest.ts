import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { inboxFileName, isInboxFileName } from '@postloop/contracts';
import { selectClientSettings } from '@postloop/db';
import { SftpAlreadyExists, type SftpSession } from '@postloop/sftp';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { followImport, newestImport } from '../operations/follow-import.js';
import { uploadRecipientFile } from '../operations/upload.js';
import { type Context, leaf, run } from '../support/leaf.js';
import { wholeNumber } from '../support/list-options.js';
import { Problem } from '../support/problem.js';
import { createQuietProgress } from '../support/progress.js';
import { describeImport } from './import.js';

interface Options {
  client: string;
  test?: boolean;
  wait?: boolean;
  timeout: string;
}

export function addIngestCommand(program: Command): void {
  leaf(program, 'ingest <file>', 'upload a recipient file as the customer would, and ask for a poll', {
    connects: true,
    writes: true,
  })
    .requiredOption('--client <client>', 'whose file it is (name, directory or ID)')
    .option('--test', 'to test/ instead of import/')
    .option('--wait', 'wait until its mailings are finished')
    .option('--timeout <seconds>', 'how long to wait', '900')
    .action(run<Options, [string]>(ingest));
}

async function ingest({ out, options, dryRun, settings }: Context<Options>, file: string) {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new Problem(`there is no file ${file}`, 'Name a recipient file.', 2);
  const timeoutMs = wholeNumber(options.timeout, '--timeout', 1, 86_400) * 1_000;
  const directory = options.test ? 'test' : 'import';
  return withConnections(settings(), ['db', 'producer', 'sftp'], async (opened) => {
    const { db, producer, sftp } = opened;
    const client = await requireClient(db, options.client);
    const { files } = await selectClientSettings(db.pool, client.id);
    const fileName = nameOf(file, files.name, new Date());
    const target = { clientDirectory: client.directory, directory, fileName } as const;
    const where = `${client.directory}/${directory}/${target.fileName}`;
    if (dryRun) {
      out.result({ dryRun, clientId: client.id, fileName: target.fileName }, `would upload ${file} as ${where}\n`);
      return 0;
    }
    const progress = createQuietProgress();
    progress.step(`uploading ${file} as ${where}`);
    const after = await newestImport(db, client.id, target.fileName);
    const path = await upload(await sftp(client), target, file);
    const polled = await producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
    const uploaded = { clientId: client.id, fileName: target.fileName, path, polled };
    if (!options.wait) {
      const next = polled ? 'a poll is asked for' : 'the next poll by schedule takes it';
      out.result(uploaded, `uploaded ${path}; ${next}\n`);
      return 0;
    }
    const { row, mailings } = await followImport({ db, progress }, { ...uploaded, after }, timeoutMs);
    out.result({ ...uploaded, import: { ...row, mailings } }, describeImport(row, mailings));
    return row.status === 'failed' ? 1 : 0;
  });
}

/** A name that says its time stays; any other file gets one from the clock. */
const nameOf = (file: string, pattern: string, now: Date): string =>
  isInboxFileName(pattern, basename(file)) ? basename(file) : inboxFileName(pattern, now);

async function upload(
  sftp: SftpSession,
  target: Parameters<typeof uploadRecipientFile>[1],
  file: string,
): Promise<string> {
  try {
    return await uploadRecipientFile(sftp, target, createReadStream(file));
  } catch (error) {
    if (!(error instanceof SftpAlreadyExists)) throw error;
    throw new Problem(
      error.message,
      'A file of that name waits to be taken: wait for it, or give yours a name with another time.',
      1,
      { cause: error },
    );
  }
}
