import { temporaryDirectory } from '@postloop/local-stack';
import { folderIn } from './harness/campaign.js';
import { figureOptions, runFigure } from './harness/figure.js';
import { openSending, sendRound, sourceRound, warmUp } from './harness/sending.js';
import { startSmtpSink } from './harness/smtp-tools.js';

const MAILS = 50_000;

/** `send`: imported recipients, from `queued` to `sent` in PostgreSQL, against smtp-source to the same sink. */
export async function send(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const mails = Math.round(MAILS * options.scale);
  await using directory = await temporaryDirectory();
  await using sink = await startSmtpSink(await folderIn(directory.path, 'sink'));
  await using campaign = await openSending(directory.path, sink);
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
