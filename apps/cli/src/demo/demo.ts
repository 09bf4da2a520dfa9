import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deployMigrations, openDatabase, selectEventCounts } from '@postloop/db';
import { type Stack, startHouse, startStack, temporaryDirectory } from '@postloop/local-stack';
import { createProducer, prepareQueueBackend } from '@postloop/queue';
import { connectSftp } from '@postloop/sftp';
import { applyClient, applySourceMailings } from '../customer-files/apply.js';
import { readClientFile } from '../customer-files/client-file.js';
import { findSourceFolders, readSourceFolder } from '../customer-files/source-files.js';
import { queueOf, sftpOf } from '../local/stack-connections.js';
import { recipientFileName } from '../operations/upload.js';
import { createProgress } from '../support/progress.js';
import { stopSignal } from '../support/stop-signal.js';
import { until } from '../support/until.js';
import { auditInbox } from './audit.js';
import { exportAndFetch, type FetchedExport } from './export-step.js';
import { importAndSend } from './import-step.js';
import { inventPeople } from './people.js';
import { addresses, type DemoResult, printResult } from './result.js';
import { simulateRecipients } from './simulate.js';

export interface DemoOptions {
  /** End when everything has happened, instead of staying up until Ctrl-C. */
  once: boolean;
  /** Last line of stdout: the result as one JSON object. */
  json: boolean;
  recipients: number;
  /** Default: Redis where there is one, else PostgreSQL. */
  queue: 'redis' | 'postgres' | 'auto';
  /** Where data and logs go. A temporary folder by default, removed when the demo ends well. */
  dir?: string;
}

const EXAMPLE = fileURLToPath(new URL('../../../../examples/example-shop', import.meta.url));

/** The whole loop on this machine: upload, import, send, respond, export. @returns the exit code */
export async function runDemo(options: DemoOptions): Promise<0 | 1> {
  const progress = createProgress();
  const dir = options.dir ?? (await temporaryDirectory()).path;
  const stopped = stopSignal();
  progress.step(`starting PostgreSQL, a queue, an SFTP server and an SMTP inbox in ${dir}`);
  await using stack = await startStack({ dir, queue: options.queue });
  const queue = queueOf(stack);
  await deployMigrations(stack.databaseUrl);
  await prepareQueueBackend(queue);
  progress.step(`starting the apps (queue: ${stack.redis ? 'Redis' : 'PostgreSQL'})`);
  await using house = await startHouse(stack, {
    dir,
    env: { STILLNESS_MS: '300' },
    onCrash: (name, logFile) => progress.step(`${name} ended unexpectedly and is started again; see ${logFile}`),
  });
  const { result, fetched } = await runLoop(stack, options, progress);
  printResult(result, fetched, options.json);
  const good = result.missing === 0 && result.duplicated === 0 && result.received === options.recipients;
  if (!options.once) {
    process.stderr.write(addresses(stack, house, dir));
    await stopped;
  }
  await house.stop();
  await stack.stop();
  if (good && options.dir === undefined) await rm(dir, { recursive: true, force: true });
  else process.stderr.write(`data and logs are kept in ${dir}\n`);
  return good ? 0 : 1;
}

async function runLoop(
  stack: Stack,
  options: DemoOptions,
  progress: ReturnType<typeof createProgress>,
): Promise<{ result: DemoResult; fetched: FetchedExport }> {
  const started = Date.now();
  await using db = openDatabase({ url: stack.databaseUrl, poolMax: 3, onError: () => undefined });
  await using producer = createProducer(queueOf(stack), {
    warn: (fields, message) => progress.step(`${message} ${JSON.stringify(fields)}`),
  });
  await using sftp = await connectSftp(sftpOf(stack));

  const client = await applyClient(db, readClientFile(EXAMPLE));
  const sources = await applySourceMailings(
    db,
    client,
    findSourceFolders(join(EXAMPLE, 'source-mailings')).map(readSourceFolder),
  );
  const { people, file } = inventPeople(
    options.recipients,
    sources.map(({ id }) => id),
  );
  const fileName = recipientFileName(new Date());
  const sent = await importAndSend({ db, producer, sftp, progress }, client, fileName, file);

  progress.step('recipients open, click and unsubscribe');
  const deeds = await simulateRecipients(stack.inbox, progress.bar('acting'));
  await until('every event is recorded', async () => {
    const counts = await selectEventCounts(db.pool, client.id);
    return counts.open >= deeds.opens && counts.click >= deeds.clicks && counts.unsubscribe >= deeds.unsubscribes;
  });
  progress.step('exporting the responses');
  const fetched = await exportAndFetch({ db, producer, sftp }, client);
  const audit = auditInbox(stack.inbox, people);
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  return { result: { ...sent, ...audit, ...deeds, exports: fetched.rows, seconds }, fetched };
}
