import { temporaryDirectory } from '@postloop/local-stack';
import { folderIn } from './harness/campaign.js';
import { startDelaySink } from './harness/delay-sink.js';
import { figureOptions, runFigure } from './harness/figure.js';
import { openSending, sendRound, warmUp } from './harness/sending.js';

const MAILS_PER_WORKER = 10_000;
const WORKERS = 4;
const RELAY_MS = 50;

/** `send-many`: four sender workers against four times one, to a relay that takes its time. */
export async function sendMany(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const mails = Math.round(MAILS_PER_WORKER * options.scale);
  await using directory = await temporaryDirectory();
  await using relay = await startDelaySink(await folderIn(directory.path, 'relay'), RELAY_MS);
  // Small batches: at the end no worker waits long for another one's last.
  const env = { SMTP_CONNECTIONS: '20', BATCH_SIZE: '100' };
  await using campaign = await openSending(directory.path, relay, { env });
  await warmUp(campaign);
  const { house } = campaign;
  const first = house.app('sender-workers');
  await runFigure(
    {
      name: 'send-many',
      unit: 'mails/s',
      reach: '≥ 0.95',
      processes: 8 + WORKERS - 1,
      reference: async () => {
        const { rate, peakRssMb } = await sendRound(campaign, mails, [first]);
        return { rate: rate * WORKERS, peakRssMb };
      },
      ours: async () => {
        const others = await Promise.all(Array.from({ length: WORKERS - 1 }, () => house.start('sender-workers')));
        const round = await sendRound(campaign, mails * WORKERS, [first, ...others]);
        await Promise.all(others.map((one) => one.stop()));
        return round;
      },
    },
    options,
  );
  await first.stop();
}
