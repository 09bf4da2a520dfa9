import { setTimeout as pause } from 'node:timers/promises';
import { selectExports } from '@postloop/db';
import { appNames, temporaryDirectory } from '@postloop/local-stack';
import { type Campaign, folderIn, openCampaign } from './harness/campaign.js';
import { USUAL_MAIL } from './harness/campaign-mail.js';
import { figureOptions, type Round, runFigure } from './harness/figure.js';
import { ProcessWatch } from './harness/process-watch.js';
import { startSmtpSink } from './harness/smtp-tools.js';

const FEW = 10_000;
const MANY = 1_000_000;

/**
 * `memory`: the largest peak of resident memory of any app with a million recipients, against that with ten thousand: from the
 * upload over the mails to a sink to the export, by apps that did nothing before.
 */
export async function memory(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  await runFigure(
    {
      ...{ name: 'memory', unit: 'MB', reach: '≤ 1.2, under 300 MB', processes: appNames.length + 3 },
      reference: () => loopRound(FEW),
      ours: () => loopRound(Math.round(MANY * options.scale)),
    },
    options,
  );
}

async function loopRound(recipients: number): Promise<Round> {
  await using directory = await temporaryDirectory();
  await using sink = await startSmtpSink(await folderIn(directory.path, 'sink'));
  await using campaign = await openCampaign({
    ...{ dir: directory.path, apps: appNames, mail: USUAL_MAIL },
    env: { SMTP_URL: sink.url, SMTP_CONNECTIONS: '20' },
  });
  using watch = new ProcessWatch(Object.fromEntries(appNames.map((name) => [name, campaign.house.app(name).pid])));
  const mailingId = await campaign.prepare(recipients);
  await finished(campaign, mailingId);
  await exported(campaign);
  const peakRssMb = watch.peakRssMb();
  const [name = '', rate = 0] = Object.entries(peakRssMb).toSorted(([, a], [, b]) => b - a)[0] ?? [];
  console.log(`     ${recipients} recipients: ${name} ${rate} MB; ${JSON.stringify(peakRssMb)}`);
  return { rate, peakRssMb };
}

async function finished({ db }: Campaign, mailingId: bigint): Promise<void> {
  for (;;) {
    const { rows } = await db.pool.query('SELECT status FROM mailing WHERE id = $1', [mailingId]);
    if (rows[0]?.status === 'finished') return;
    await pause(100);
  }
}

async function exported({ db, producer, clientId }: Campaign): Promise<void> {
  await producer.enqueue('responseExport', { v: 1, clientId, resume: false });
  while (!(await selectExports(db.pool, clientId)).some(({ status }) => status === 'done')) await pause(100);
}
