import { cpus } from 'node:os';
import { type AppProcess, temporaryDirectory } from '@postloop/local-stack';
import { type Campaign, folderIn, openCampaign } from './harness/campaign.js';
import { type MailShape, USUAL_MAIL } from './harness/campaign-mail.js';
import { startDelaySink } from './harness/delay-sink.js';
import { figureOptions } from './harness/figure.js';
import { finished } from './harness/sending.js';
import { ASSUMED, breaksAt, type Measured, partsOf, workerOf } from './simulate/capacity.js';
import { type FittedRun, fitModel, type Model } from './simulate/fit.js';
import { measureFlush, measureSending } from './simulate/measure.js';
import { measureEvents, measureExport, measureImport } from './simulate/measure-stages.js';
import type { SetUp } from './simulate/pipeline.js';
import { type Check, errorOf, modelReport, nameOf, writeModel } from './simulate/report.js';

const MAILS = 7_000;
/** Each sender has sent so many before it is measured: the first ones cost twice as much. */
const WARM_UP = 7_000;
/** A slow relay is what bounds its sender, so that warmth does not matter, and would take long. */
const WARM_UP_SLOW = 1_000;
const SMALL_MAIL: MailShape = { ...USUAL_MAIL, staticBytes: 1_000 };

const setUp = (workers: number, connections: number, relayDelay = 0): SetUp => ({
  ...{ cores: cpus().length, workers, connections, places: ASSUMED.places, relayDelay },
  // Of the timers of the relay that is measured with: answers come less and less in step.
  relaySpread: relayDelay === 0 ? 0 : 0.0003,
});

/** What the model is fitted to: fewer and more workers than cores, few and many connections, mails of two sizes. */
const USUAL_RUNS = [setUp(1, 5), setUp(2, 10), setUp(2, 40)];
const SMALL_RUNS = [setUp(1, 40), setUp(2, 5), setUp(3, 5)];
/** What it is not: bound by the cores of the machine, and by relays that take their time. */
const UNSEEN = [setUp(4, 8), setUp(1, 50, 0.04), setUp(3, 20, 0.03)];

/**
 * `simulate`: measures what each step costs here, predicts set-ups that it was not fitted to and runs them, and says what 1, 10
 * and 100 million mails an hour need and what breaks first. At full size it writes the tables of docs/SCALING.md.
 */
export async function simulate(args: readonly string[]): Promise<void> {
  const { scale } = figureOptions(args);
  const mails = Math.round(MAILS * scale);
  const usual = await withCampaign(USUAL_MAIL, async (campaign, dir) => {
    const flush = await measureFlush(campaign);
    const runs = await runAll(campaign, USUAL_RUNS, mails);
    const imported = await measureImport(campaign, mails);
    const event = await measureEvents(campaign, imported.mailingId, dir);
    return { flush, runs, import: imported.costs, event, exported: await measureExport(campaign) };
  });
  await withCampaign(SMALL_MAIL, async (campaign) => {
    const runs = [...usual.runs, ...(await runAll(campaign, SMALL_RUNS, mails))];
    const model = fitModel(runs, usual.flush);
    const fitted = runs.map((one) => checked(model, one));
    const unseen: Check[] = [];
    for (const one of UNSEEN) unseen.push(await predictThenRun(campaign, model, one, mails));
    const [first] = usual.runs;
    if (!first) return;
    const measured = { ...usual, run: first.run, costs: model.costsOf(first.run.mailKb), idle: model.idle };
    conclude(measured, model, { fitted, unseen }, scale);
  });
}

const checked = (model: Model, one: FittedRun): Check => ({
  ...one,
  predicted: model.predict(one.setUp, one.run.mailKb),
});

async function predictThenRun(campaign: Campaign, model: Model, one: SetUp, mails: number): Promise<Check> {
  const mailKb = (await campaign.mailBytes(await campaign.prepare(1))) / 1_000;
  const predicted = model.predict(one, mailKb);
  console.log(`  predicted: ${Math.round(predicted.rate)} mails/s`);
  return { setUp: one, predicted, run: (await runSetUp(campaign, one, mails)).run };
}

async function runAll(campaign: Campaign, setUps: readonly SetUp[], mails: number): Promise<FittedRun[]> {
  const runs: FittedRun[] = [];
  for (const one of setUps) runs.push(await runSetUp(campaign, one, mails));
  return runs;
}

function conclude(
  measured: Measured,
  model: Model,
  checks: { fitted: readonly Check[]; unseen: readonly Check[] },
  scale: number,
): void {
  const worker = workerOf(model, measured.run.mailKb);
  const report = modelReport(measured, worker, checks);
  console.log(report);
  if (scale === 1) writeModel(report);
  if (checks.unseen.some((one) => Math.abs(errorOf(one)) > 0.2)) process.exitCode = 1;
  const [first] = partsOf(measured, worker).sort((a, b) => breaksAt(a) - breaksAt(b));
  const predictions = checks.unseen.map((one) => ({
    ...{ name: nameOf(one.setUp, one.run.mailKb), predicted: Math.round(one.predicted.rate) },
    ...{ measured: Math.round(one.run.rate), error: Number(errorOf(one).toFixed(3)) },
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
async function runSetUp(campaign: Campaign, one: SetUp, mails: number): Promise<FittedRun> {
  await using directory = await temporaryDirectory();
  await using sink = await startDelaySink(await folderIn(directory.path, 'sink'), one.relayDelay * 1_000);
  const env = { SMTP_URL: sink.url, SMTP_CONNECTIONS: String(one.connections) };
  const senders: AppProcess[] = [];
  while (senders.length < one.workers) senders.push(await campaign.house.start('sender-workers', { env }));
  const slow = one.relayDelay > 0;
  const warmUp = await campaign.prepare(slow ? WARM_UP_SLOW : Math.round((WARM_UP * mails) / MAILS) * one.workers);
  await campaign.start();
  await finished(campaign, warmUp);
  const run = await measureSending(campaign, senders, sink, mails);
  await Promise.all(senders.map((sender) => sender.stop()));
  console.log(`  ${nameOf(one, run.mailKb)}: ${Math.round(run.rate)} mails/s`);
  return { setUp: one, run };
}
