import { connect } from 'node:net';
import type { AppProcess } from '@postloop/local-stack';
import type { Campaign } from '../harness/campaign.js';
import { ProcessWatch } from '../harness/process-watch.js';
import { finished } from '../harness/sending.js';
import type { SmtpSink } from '../harness/smtp-tools.js';
import { medianOf } from '../harness/statistics.js';
import type { SendRun } from './fit.js';

/** What work took, of the whole machine. */
export interface Usage {
  seconds: number;
  /** Seconds of CPU by process. */
  cpu: Record<string, number>;
  /** Transactions that wrote. */
  commits: number;
  walBytes: number;
  redisCommands: number;
}

/** @param pids processes besides PostgreSQL and Redis, by name */
export async function usageOf(
  { db, stack }: Campaign,
  pids: Readonly<Record<string, number>>,
  work: () => Promise<unknown>,
): Promise<Usage> {
  const redis = stack.redis ?? { pid: 0, port: 0 };
  using watch = new ProcessWatch({ ...pids, postgres: stack.postgres.pid, redis: redis.pid });
  const counted = async () => {
    // Transactions that only read have no number, so those of this program do not count.
    const { rows } = await db.pool.query<{ commits: number; wal: number }>(
      `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS commits, (pg_current_wal_lsn() - '0/0')::float8 AS wal`,
    );
    return { ...(rows[0] ?? { commits: 0, wal: 0 }), redis: await commandsOf(redis.port) };
  };
  const [before, cpuBefore, start] = [await counted(), watch.cpuSeconds(), performance.now()];
  await work();
  const [seconds, cpuAfter, after] = [(performance.now() - start) / 1_000, watch.cpuSeconds(), await counted()];
  return {
    seconds,
    cpu: Object.fromEntries(Object.entries(cpuAfter).map(([name, used]) => [name, used - (cpuBefore[name] ?? 0)])),
    commits: after.commits - before.commits,
    walBytes: after.wal - before.wal,
    redisCommands: after.redis - before.redis,
  };
}

/** Sends a mailing of so many, imported before. */
export async function measureSending(
  campaign: Campaign,
  senders: readonly AppProcess[],
  sink: SmtpSink,
  mails: number,
): Promise<SendRun> {
  const mailingId = await campaign.prepare(mails);
  const mailKb = (await campaign.mailBytes(mailingId)) / 1_000;
  const pids = Object.fromEntries(senders.map(({ pid }, i) => [`sender ${i}`, pid]));
  const used = await usageOf(campaign, { ...pids, relay: sink.pid }, async () => {
    await campaign.start();
    await finished(campaign, mailingId);
  });
  const { postgres = 0, redis = 0, relay = 0, ...rest } = used.cpu;
  const sender = Object.values(rest).reduce((sum, seconds) => sum + seconds, 0);
  return {
    mailKb,
    rate: await rateOf(campaign, mailingId, mails),
    commitsPerMail: used.commits / mails,
    walBytesPerMail: used.walBytes / mails,
    redisCommandsPerMail: used.redisCommands / mails,
    making: await measureMaking(campaign, mailingId),
    cpu: { sender: sender / mails, postgres: postgres / mails, redis: redis / mails, relay: relay / mails },
  };
}

/**
 * Mails per second over the middle of a mailing: at its beginning the queue wakes the workers, at its end those that are done
 * wait for the others, and neither grows with it.
 */
async function rateOf({ db }: Campaign, mailingId: bigint, mails: number): Promise<number> {
  const { rows } = await db.pool.query<{ sent: number; seconds: number }>(
    `SELECT count(*)::float8 AS sent,
            extract(epoch FROM percentile_disc(0.8) WITHIN GROUP (ORDER BY settled_at)
                             - percentile_disc(0.1) WITHIN GROUP (ORDER BY settled_at))::float8 AS seconds
       FROM delivery WHERE mailing_id = $1 AND status = 'sent'`,
    [mailingId],
  );
  const { sent = 0, seconds = 0 } = rows[0] ?? {};
  if (sent !== mails) throw new Error(`${sent} of ${mails} mails are sent`);
  return (0.7 * sent) / seconds;
}

const RENDERS = 2_000;

/** Seconds of CPU that it takes to make one mail, before anything is written. */
async function measureMaking(campaign: Campaign, mailingId: bigint): Promise<number> {
  const render = await campaign.renderer(mailingId);
  const cpuOf = () => {
    const start = process.cpuUsage();
    for (let i = 0; i < RENDERS; i += 1) render(i);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6 / RENDERS;
  };
  // The first ones compile; collecting garbage is of the other processes' measure.
  return Math.min(...Array.from({ length: 4 }, cpuOf));
}

const COMMITS = 200;

/** Seconds that a commit takes longer than a statement that writes nothing; medians, for a disk may stand still for a moment. */
export async function measureFlush({ db }: Campaign): Promise<number> {
  const timeOf = async (sql: string) => {
    const times: number[] = [];
    for (let i = 0; i < COMMITS; i += 1) {
      const start = performance.now();
      await db.pool.query(sql);
      times.push((performance.now() - start) / 1_000);
    }
    return medianOf(times);
  };
  await db.pool.query('CREATE TABLE flushed (n int)');
  await timeOf('SELECT 1'); // warm
  const [read, write] = [await timeOf('SELECT 1'), await timeOf('INSERT INTO flushed VALUES (1)')];
  await db.pool.query('DROP TABLE flushed');
  return Math.max(0, write - read);
}

/** Commands that clients gave a Redis so far. */
function commandsOf(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('INFO stats\r\n'));
    socket.once('error', reject);
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(Number(/total_commands_processed:(\d+)/.exec(answer.toString())?.[1]));
    });
  });
}
