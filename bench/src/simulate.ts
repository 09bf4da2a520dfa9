import { cpus } from 'node:os';
import { type AppProcess, temporaryDirectory } from '@postloop/local-stack';
import { type Campaign, folderIn, openCampaign } from './harness/campaign.js';
import { type MailShape, USUAL_MAIL } from './harness/campaign-mail.js';
import { startDelaySink } from './harness/delay-sink.js';
import { figureOptions } from './harness/figure.js';
import { warmUp } from './harness/sending.js';
import { ASSUMED, breaksAt, type Measured, partsOf, workerOf } from './simulate/capacity.js';
import { fitCosts, type SendRun } from './simulate/fit.js';
import { measureFlush, measureSending } from './simulate/measure.js';
import { measureEvents, measureExport, measureImport } from './simulate/measure-stages.js';
import { type SetUp, simulateSending } from './simulate/pipeline.js';
import { type Check, errorOf, modelReport, writeModel } from './simulate/report.js';

const MAILS = 10_000;
const SMALL_MAIL: MailShape = { ...USUAL_MAIL, staticBytes: 1_000 };
const LARGE_MAIL: MailShape = { ...USUAL_MAIL, staticBytes: 36_000 };

/**
 * What the model is fitted to, and two set-ups that it is not: bound by the relay's time, and by the machine's cores. Fitted to two
 * workers: processes that share all cores cost each other more than one does alone.
 */
const USUAL: SetUp = { cores: cpus().length, workers: 2, connections: 10, places: ASSUMED.places, relayDelay: 0 };
const FEW_CONNECTIONS: SetUp = { ...USUAL, connections: 2 };
const SLOW_RELAY: SetUp = { ...USUAL, workers: 1, connections: 20, relayDelay: 0.05 };
const THREE_WORKERS: SetUp = { ...USUAL, workers: 3, connections: 5 };

/**
 * `simulate`: measures what each step costs here, predicts two other set-ups and runs them, and says what 1, 10 and 100 million
 * mails an hour need and what breaks first. At full size it writes the tables of docs/SCALING.md.
 */
export async function simulate(args: readonly string[]): Promise<void> {
  const { scale } = figureOptions(args);
  const mails = Math.round(MAILS * scale);
  const usual = await withCampaign(USUAL_MAIL, async (campaign, dir) => {
    const sent = {
      flush: await measureFlush(campaign),
      usual: await runSetUp(campaign, USUAL, mails),
      fewConnections: await runSetUp(campaign, FEW_CONNECTIONS, mails),
      slowRelay: await runSetUp(campaign, SLOW_RELAY, mails / 2),
    };
    const imported = await measureImport(campaign, mails);
    const event = await measureEvents(campaign, imported.mailingId, dir);
    return { ...sent, import: imported.costs, event, exported: await measureExport(campaign) };
  });
  const largeMail = await withCampaign(LARGE_MAIL, (campaign) => runSetUp(campaign, USUAL, mails));
  const smallMail = await withCampaign(SMALL_MAIL, (campaign) => runSetUp(campaign, THREE_WORKERS, mails));

  const costsOf = fitCosts({ ...usual, usualSetUp: USUAL, largeMail });
  const check = (name: string, setUp: SetUp, run: SendRun): Check => {
    return { name, predicted: simulateSending(costsOf(run.mailKb), setUp, mails).rate, run };
  };
  const checks = [
    check('1 worker, 20 connections, a relay that takes 50 ms', SLOW_RELAY, usual.slowRelay),
    check(`3 workers, 5 connections each, mails of ${Math.round(smallMail.mailKb)} KB`, THREE_WORKERS, smallMail),
  ];
  conclude({ ...usual, run: usual.usual, costs: costsOf(usual.usual.mailKb) }, checks, scale);
}

function conclude(measured: Measured, checks: readonly Check[], scale: number): void {
  const worker = workerOf(measured);
  const report = modelReport(measured, worker, checks);
  console.log(report);
  if (scale === 1) writeModel(report);
  if (checks.some((one) => Math.abs(errorOf(one)) > 0.2)) process.exitCode = 1;
  const [first] = partsOf(measured, worker).sort((a, b) => breaksAt(a) - breaksAt(b));
  const predictions = checks.map((one) => ({
    ...{ name: one.name, predicted: Math.round(one.predicted), measured: Math.round(one.run.rate) },
    error: Number(errorOf(one).toFixed(3)),
  }));
  console.log(JSON.stringify({ name: 'simulate', predictions, breaksFirst: first?.name }));
}

async function withCampaign<T>(mail: MailShape, work: (campaign: Campaign, dir: string) => Promise<T>): Promise<T> {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  await using campaign = await openCampaign({
    ...{ dir, mail, held: true },
    apps: ['sftp-ingest', 'importer', 'mailing-factory'],
  });
  return await work(campaign, dir);
}

/** Senders that are warm, as they are after weeks. */
async function runSetUp(campaign: Campaign, setUp: SetUp, mails: number): Promise<SendRun> {
  await using directory = await temporaryDirectory();
  await using sink = await startDelaySink(await folderIn(directory.path, 'sink'), setUp.relayDelay * 1_000);
  const env = { SMTP_URL: sink.url, SMTP_CONNECTIONS: String(setUp.connections) };
  const senders: AppProcess[] = [];
  while (senders.length < setUp.workers) senders.push(await campaign.house.start('sender-workers', { env }));
  await warmUp(campaign);
  const run = await measureSending(campaign, senders, sink, mails);
  await Promise.all(senders.map((sender) => sender.stop()));
  return run;
}
