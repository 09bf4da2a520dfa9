import { setTimeout as pause } from 'node:timers/promises';
import type { AppName, AppProcess } from '@postloop/local-stack';
import { type Campaign, openCampaign } from './campaign.js';
import { USUAL_MAIL } from './campaign-mail.js';
import type { Round } from './figure.js';
import { ProcessWatch, pidsOf } from './process-watch.js';
import { runSmtpSource, type SmtpSink } from './smtp-tools.js';

/** Twice as many mails are on their way at a time; with fewer they wait for one another's commits while the machine idles. */
export const CONNECTIONS = '100';
/** So many mails a sender has sent before it is measured: it runs for weeks. */
const WARM_UP = 10_000;

export interface SendRound extends Round {
  /** Microseconds of user and system time per mail, by process. */
  cpu: Record<string, number>;
}

/** A campaign whose mailings wait for `start`, with the apps that make them and, unless the caller starts its own, a sender. */
export function openSending(
  dir: string,
  sink: SmtpSink,
  { apps = ['sender-workers'], env = {} }: { apps?: readonly AppName[]; env?: Record<string, string> } = {},
): Promise<Campaign> {
  return openCampaign({
    ...{ dir, mail: USUAL_MAIL, held: true, apps: ['sftp-ingest', 'importer', 'mailing-factory', ...apps] },
    env: { SMTP_URL: sink.url, SMTP_CONNECTIONS: CONNECTIONS, ...env },
  });
}

/** Sends a first mailing. @returns bytes of a mail on the wire */
export async function warmUp(campaign: Campaign): Promise<number> {
  const mailingId = await campaign.prepare(WARM_UP);
  await campaign.start();
  await finished(campaign, mailingId);
  const bytes = await campaign.mailBytes(mailingId);
  console.log(`  mails of ${bytes} bytes`);
  return bytes;
}

/** Imports a mailing of so many mails, then measures from its start until it is finished. */
export async function sendRound(campaign: Campaign, mails: number, senders: readonly AppProcess[]): Promise<SendRound> {
  const mailingId = await campaign.prepare(mails);
  return measured(campaign, mails, senders, async () => {
    await campaign.start();
    return mailingId;
  });
}

/** Measures from the beginning of `begin` until the mailing that it names is finished. */
export async function measured(
  campaign: Campaign,
  mails: number,
  apps: readonly AppProcess[],
  begin: () => Promise<bigint>,
): Promise<SendRound> {
  const { postgres, redis } = campaign.stack;
  using watch = new ProcessWatch({ ...pidsOf(apps), postgres: postgres.pid, redis: redis?.pid ?? 0 });
  const before = watch.cpuSeconds();
  const start = performance.now();
  const mailingId = await begin();
  await finished(campaign, mailingId);
  const seconds = (performance.now() - start) / 1_000;
  const used = Object.entries(watch.cpuSeconds());
  const cpu = used.map(([name, after]) => [name, Math.round(((after - (before[name] ?? 0)) * 1e6) / mails)] as const);
  const peakRssMb = watch.peakRssMb();
  await checkSent(campaign, mailingId, mails);
  console.log(`     microseconds of CPU per mail: ${cpu.map((one) => one.join(' ')).join(', ')}`);
  return { rate: mails / seconds, peakRssMb, cpu: Object.fromEntries(cpu) };
}

/** smtp-source to the same sink, with mails of the same size. */
export async function sourceRound(sink: SmtpSink, mails: number, mailBytes: number): Promise<Round> {
  using watch = new ProcessWatch({ sink: sink.pid });
  return { rate: await runSmtpSource(sink, mails, mailBytes), peakRssMb: watch.peakRssMb() };
}

export async function finished({ db }: Campaign, mailingId: bigint): Promise<void> {
  for (;;) {
    const { rows } = await db.pool.query('SELECT status FROM mailing WHERE id = $1', [mailingId]);
    if (rows[0]?.status === 'finished') return;
    await pause(50);
  }
}

/** A rate of mails that were not sent would be none. */
export async function checkSent({ db }: Campaign, mailingId: bigint, mails: number): Promise<void> {
  const { rows } = await db.pool.query<{ sent: number }>(
    `SELECT count(*)::int AS sent FROM delivery WHERE mailing_id = $1 AND status = 'sent'`,
    [mailingId],
  );
  if (rows[0]?.sent !== mails) throw new Error(`${rows[0]?.sent} of ${mails} mails are sent`);
}
