import { type SendCosts, type SetUp, simulateSending } from './pipeline.js';

/** What a run on this machine took, in seconds of CPU per mail. */
export interface SendRun {
  mailKb: number;
  rate: number;
  commitsPerMail: number;
  walBytesPerMail: number;
  redisCommandsPerMail: number;
  /** Of the sender's: what it takes to make the mail. */
  making: number;
  cpu: { sender: number; postgres: number; redis: number; relay: number };
}

/** Runs that differ in one thing each: few connections make many commits, a large mail many bytes. */
export interface Calibration {
  usual: SendRun;
  usualSetUp: SetUp;
  fewConnections: SendRun;
  largeMail: SendRun;
  /** Seconds that a commit waits for the disk. */
  flush: number;
}

/** Costs of a mail of so many kilobytes, linear in bytes and commits. What a sender waits is what the usual run's rate leaves. */
export function fitCosts(calibration: Calibration): (mailKb: number) => SendCosts {
  const costs = cpuCosts(calibration);
  const { usual, usualSetUp } = calibration;
  const rateWith = (stall: number) => simulateSending({ ...costs(usual.mailKb), stall }, usualSetUp, FIT_MAILS).rate;
  let [stall, most] = [0, 2 / usual.rate];
  for (let i = 0; i < 12; i += 1) {
    const middle = (stall + most) / 2;
    if (rateWith(middle) > usual.rate) stall = middle;
    else most = middle;
  }
  return (mailKb) => ({ ...costs(mailKb), stall });
}

const FIT_MAILS = 5_000;

function cpuCosts({ usual, fewConnections, largeMail, flush }: Calibration): (mailKb: number) => SendCosts {
  const byCommit = (cost: (run: SendRun) => number) =>
    slope(usual.commitsPerMail, cost(usual), fewConnections.commitsPerMail, cost(fewConnections));
  const senderCommit = byCommit(({ cpu }) => cpu.sender);
  const postgresCommit = byCommit(({ cpu }) => cpu.postgres);
  const sized = (cost: (run: SendRun) => number) => {
    const perKb = slope(usual.mailKb, cost(usual), largeMail.mailKb, cost(largeMail));
    return (mailKb: number) => Math.max(0, cost(usual) + perKb * (mailKb - usual.mailKb));
  };
  const making = sized((run) => run.making);
  const writing = sized(({ cpu, commitsPerMail, making }) => cpu.sender - senderCommit * commitsPerMail - making);
  const relay = sized(({ cpu }) => cpu.relay);
  return (mailKb) => ({
    making: making(mailKb),
    writing: writing(mailKb),
    stall: 0,
    senderCommit,
    postgres: usual.cpu.postgres - postgresCommit * usual.commitsPerMail,
    postgresCommit,
    flush,
    redis: usual.cpu.redis,
    relay: relay(mailKb),
  });
}

/** Noise can make more of something look cheaper; it is free at best. */
const slope = (x1: number, y1: number, x2: number, y2: number): number => Math.max(0, (y2 - y1) / (x2 - x1));
