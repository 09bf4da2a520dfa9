import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { promisify } from 'node:util';
import { temporaryDirectory } from '@postloop/local-stack';
import { type Campaign, folderIn } from './harness/campaign.js';
import { debianProgram } from './harness/debian-program.js';
import { figureOptions, type Round, runFigure } from './harness/figure.js';
import { openSending, sendRound, warmUp } from './harness/sending.js';
import { startSmtpSink } from './harness/smtp-tools.js';

const MAILS = 20_000;
const OPENSSL_SECONDS = '4';

/** `send-dkim`: mails signed with rsa-2048, against the same without and OpenSSL's own signatures, one after the other. */
export async function sendDkim(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const mails = Math.round(MAILS * options.scale);
  await using directory = await temporaryDirectory();
  await using sink = await startSmtpSink(await folderIn(directory.path, 'sink'));
  await using campaign = await openSending(directory.path, sink, { apps: [] });
  const key = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const signing = { domain: 'shop.example', selector: 'bench', algorithm: 'rsa-sha256', key: pem };
  await runFigure(
    {
      name: 'send-dkim',
      unit: 'mails/s',
      reach: '≥ 0.9',
      processes: 8,
      reference: async () => {
        const { rate, peakRssMb } = await roundOfOne(campaign, mails, {});
        return { rate: 1 / (1 / rate + 1 / (await opensslRate())), peakRssMb };
      },
      ours: () => roundOfOne(campaign, mails, { DKIM_KEYS: JSON.stringify([signing]) }),
    },
    options,
  );
}

/** By a sender of its own. */
async function roundOfOne(campaign: Campaign, mails: number, env: Record<string, string>): Promise<Round> {
  await using sender = await campaign.house.start('sender-workers', { env });
  await warmUp(campaign);
  // Awaited: the sender is stopped when this returns.
  return await sendRound(campaign, mails, [sender]);
}

/** rsa-2048 signatures per second of two processes. */
async function opensslRate(): Promise<number> {
  const { path } = await debianProgram('openssl', 'openssl');
  const args = ['speed', '-multi', '2', '-seconds', OPENSSL_SECONDS, 'rsa2048'];
  const { stdout } = await promisify(execFile)(path, args);
  const [, signatures] = /^rsa\s+2048 bits\s+\S+\s+\S+\s+([\d.]+)/m.exec(stdout) ?? [];
  if (!signatures) throw new Error(`openssl speed says nothing of rsa 2048: ${stdout}`);
  return Number(signatures);
}
