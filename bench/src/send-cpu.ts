import { temporaryDirectory } from '@postloop/local-stack';
import { folderIn } from './harness/campaign.js';
import { startDelaySink } from './harness/delay-sink.js';
import { figureOptions, runFigure } from './harness/figure.js';
import { endedChildrenSeconds } from './harness/process-watch.js';
import { openSending, sendRound, sourceRound, warmUp } from './harness/sending.js';

const MAILS = 50_000;

/** `send-cpu`: CPU time per mail of all processes but the sink, against that of smtp-source, which only speaks SMTP. */
export async function sendCpu(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const mails = Math.round(MAILS * options.scale);
  await using directory = await temporaryDirectory();
  await using sink = await startDelaySink(await folderIn(directory.path, 'sink'), 0);
  await using campaign = await openSending(directory.path, sink);
  const mailBytes = await warmUp(campaign);
  await runFigure(
    {
      name: 'send-cpu',
      unit: 'µs of CPU/mail',
      reach: '≤ 150 µs',
      processes: 8,
      reference: async () => {
        const before = endedChildrenSeconds();
        const { peakRssMb } = await sourceRound(sink, mails, mailBytes);
        return { rate: ((endedChildrenSeconds() - before) * 1e6) / mails, peakRssMb };
      },
      ours: async () => {
        const { cpu, peakRssMb } = await sendRound(campaign, mails, [campaign.house.app('sender-workers')]);
        return { rate: Object.values(cpu).reduce((sum, one) => sum + one, 0), peakRssMb };
      },
    },
    options,
  );
}
