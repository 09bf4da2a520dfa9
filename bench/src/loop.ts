import { temporaryDirectory } from '@postloop/local-stack';
import { folderIn, openCampaign, startedMailing } from './harness/campaign.js';
import { USUAL_MAIL } from './harness/campaign-mail.js';
import { figureOptions, runFigure } from './harness/figure.js';
import { CONNECTIONS, measured, sourceRound, warmUp } from './harness/sending.js';
import { startSmtpSink } from './harness/smtp-tools.js';

const RECIPIENTS = 50_000;
const APPS = ['sftp-ingest', 'importer', 'mailing-factory', 'sender-workers'] as const;

/** `loop`: from the rename of an upload to the last mail that is sent, against smtp-source to the same sink. */
export async function loop(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const mails = Math.round(RECIPIENTS * options.scale);
  await using directory = await temporaryDirectory();
  await using sink = await startSmtpSink(await folderIn(directory.path, 'sink'));
  const env = { SMTP_URL: sink.url, SMTP_CONNECTIONS: CONNECTIONS };
  await using campaign = await openCampaign({ dir: directory.path, apps: APPS, mail: USUAL_MAIL, env });
  const mailBytes = await warmUp(campaign);
  const apps = APPS.map((name) => campaign.house.app(name));
  await runFigure(
    {
      name: 'loop',
      unit: 'mails/s',
      reach: '≥ 0.7',
      processes: 8,
      reference: () => sourceRound(sink, mails, mailBytes),
      ours: async () => {
        const upload = await campaign.stage(mails);
        return measured(campaign, mails, apps, async () => startedMailing(campaign.db, await upload()));
      },
    },
    options,
  );
}
