import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultClientSettings, inboxFileName } from '@postloop/contracts';
import {
  countWaitingInboundMessages,
  type Database,
  deployMigrations,
  openDatabase,
  selectEventCounts,
  selectResponseCounts,
} from '@postloop/db';
import { type House, type Stack, startHouse, startStack, temporaryDirectory } from '@postloop/local-stack';
import { createProducer, prepareQueueBackend } from '@postloop/queue';
import { connectSftp } from '@postloop/sftp';
import { applyClient, applySourceMailings } from '../customer-files/apply.js';
import { readClientFile } from '../customer-files/client-file.js';
import { findSourceFolders, readSourceFolder } from '../customer-files/source-files.js';
import { queueOf, sftpOf } from '../local/stack-connections.js';
import { createProgress, type Progress } from '../support/progress.js';
import { stopSignal } from '../support/stop-signal.js';
import { until } from '../support/until.js';
import { auditInbox, countRefusals } from './audit.js';
import { differences } from './differences.js';
import { exportAndFetch, type FetchedExport } from './export-step.js';
import { importAndSend } from './import-step.js';
import { inventPeople } from './people.js';
import { REFUSALS, RETRY_SCHEDULE } from './reactions.js';
import { addresses, type DemoResult, printResult } from './result.js';
import { type Deeds, simulateRecipients } from './simulate.js';

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

/** All recipients send back from one address, however many they are. */
const ALL_FROM_HERE = { INBOUND_CONNECTIONS_PER_ADDRESS: '100', INBOUND_RATE: '1000000' };

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
    env: { STILLNESS_MS: '300', RETRY_SCHEDULE, ...ALL_FROM_HERE },
    onCrash: (name, logFile) => progress.step(`${name} ended unexpectedly and is started again; see ${logFile}`),
  });
  const { result, fetched, wrong } = await runLoop({ stack, house, options, progress });
  printResult(result, fetched, options.json);
  for (const line of wrong) progress.step(`not as it should be: ${line}`);
  const good = wrong.length === 0;
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

interface LoopContext {
  stack: Stack;
  house: House;
  options: DemoOptions;
  progress: Progress;
}

async function runLoop({ stack, house, options, progress }: LoopContext): Promise<{
  result: DemoResult;
  fetched: FetchedExport;
  /** What does not agree with what was counted outside. */
  wrong: string[];
}> {
  const started = Date.now();
  await using db = openDatabase({ url: stack.databaseUrl, poolMax: 3, onError: () => undefined });
  await using producer = createProducer(queueOf(stack), {
    warn: (fields, message) => progress.step(`${message} ${JSON.stringify(fields)}`),
  });
  await using sftp = await connectSftp(sftpOf(stack));

  const client = await applyClient(db, readClientFile(EXAMPLE));
  const folders = findSourceFolders(join(EXAMPLE, 'source-mailings'));
  const sources = await applySourceMailings(db, client, folders.map(readSourceFolder));
  const { people, file } = inventPeople(
    options.recipients,
    sources.map(({ id }) => id),
  );
  for (const { category, ...rule } of REFUSALS) stack.inbox.behave(rule);
  const fileName = inboxFileName(defaultClientSettings.files.name, new Date());
  const sent = await importAndSend({ db, producer, sftp, progress }, client, fileName, file);

  progress.step('recipients open, click, answer, bounce, complain and unsubscribe');
  const deeds = await simulateRecipients(stack.inbox, house.inboundUrl, progress.bar('acting'));
  await untilRecorded(db, client.id, deeds);
  progress.step('exporting the responses');
  const fetched = await exportAndFetch({ db, producer, sftp }, client);
  const audit = auditInbox(stack.inbox, people);
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  const { rows: exports, responses } = fetched;
  const result = { ...sent, ...audit, ...deeds, responses, exports, seconds };
  const seen = { ...deeds, recipients: options.recipients, refusals: countRefusals(people) };
  const recorded = await selectResponseCounts(db.pool, client.id);
  return { result, fetched, wrong: differences(result, recorded, seen) };
}

const RECORDED_WITHIN_MS = 5 * 60_000;

async function untilRecorded(db: Database, clientId: bigint, deeds: Deeds): Promise<void> {
  const allJudged = async () => (await countWaitingInboundMessages(db.pool)) === 0;
  await until('every mail that came back is looked at', allJudged, RECORDED_WITHIN_MS);
  const allEvents = async () => {
    const counts = await selectEventCounts(db.pool, clientId);
    return counts.open >= deeds.opens && counts.click >= deeds.clicks && counts.unsubscribe >= deeds.unsubscribes;
  };
  await until('every event is recorded', allEvents, RECORDED_WITHIN_MS);
}
