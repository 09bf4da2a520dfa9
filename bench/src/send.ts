import { temporaryDirectory } from '@postloop/local-stack';
import { folderIn, openCampaign } from './harness/campaign.js';
import { USUAL_MAIL } from './harness/campaign-mail.js';
import { figureOptions, runFigure } from './harness/figure.js';
import { sendRound, sourceRound, warmUp } from './harness/sending.js';
import { startSmtpSink } from './harness/smtp-tools.js';

const MAILS = 50_000;

/** `send`: imported recipients, from `queued` to `sent` in PostgreSQL, against smtp-source to the same sink. */
export async function send(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const mails = Math.round(MAILS * options.scale);
  await using directory = await temporaryDirectory();
  await using sink = await startSmtpSink(await folderIn(directory.path, 'sink'));
  await using campaign = await openCampaign({
    dir: directory.path,
    apps: ['sftp-ingest', 'importer', 'mailing-factory', 'sender-workers'],
    mail: USUAL_MAIL,
    held: true,
    env: { SMTP_URL: sink.url, SMTP_CONNECTIONS: '40' },
  });
  const mailBytes = await warmUp(campaign);
  await runFigure(
    {
      name: 'send',
      unit: 'mails/s',
      reach: '≥ 0.8',
      processes: 8,
      reference: () => sourceRound(sink, mails, mailBytes),
      ours: () => sendRound(campaign, mails, [campaign.house.app('sender-workers')]),
    },
    options,
  );
}
