import { leastSquares } from './least-squares.js';
import { commitCosts, type SendCosts, type SetUp, sharing, simulateSending } from './pipeline.js';

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

export interface FittedRun {
  setUp: SetUp;
  run: SendRun;
}

export interface Model {
  costsOf: (mailKb: number) => SendCosts;
  /** Share of full cores that stands idle. */
  idle: number;
  /** What the model says of a run, as it was measured. */
  predict: (setUp: SetUp, mailKb: number) => Predicted;
}

export type Predicted = Pick<SendRun, 'rate' | 'commitsPerMail'> & {
  cpu: Pick<SendRun['cpu'], 'sender' | 'postgres'>;
};

/**
 * Costs that are linear in the bytes of a mail and in its share of a commit, from runs that differ in both. What full cores
 * idle, and the commits that are of batches and not of mails, are what the runs' rates and commits leave.
 * @param flush seconds that a commit waits for the disk
 */
export function fitModel(runs: readonly FittedRun[], flush: number): Model {
  const costsOf = cpuCosts(runs, flush);
  const idle = leastBy(IDLE, (share) =>
    sumOf(
      runs,
      ({ setUp, run }) => Math.log(simulateSending(costsOf(run.mailKb), share, setUp, MAILS).rate / run.rate) ** 2,
    ),
  );
  const simulated = (setUp: SetUp, mailKb: number) => simulateSending(costsOf(mailKb), idle, setUp, MAILS);
  const ofBatches = sumOf(runs, ({ setUp, run }) => {
    return run.commitsPerMail - simulated(setUp, run.mailKb).commitsPerMail;
  });
  const batchCommits = Math.max(0, ofBatches / runs.length);
  return {
    costsOf,
    idle,
    predict(setUp, mailKb) {
      const { rate, commitsPerMail: ofMails } = simulated(setUp, mailKb);
      const commitsPerMail = ofMails + batchCommits;
      const costs = costsOf(mailKb);
      const [senderCommit, postgresCommit] = commitCosts(costs, setUp);
      const sender = costs.making + costs.writing + senderCommit * commitsPerMail;
      return { rate, commitsPerMail, cpu: { sender, postgres: costs.postgres + postgresCommit * commitsPerMail } };
    },
  };
}

const MAILS = 4_000;
const IDLE = Array.from({ length: 31 }, (_, i) => i / 100);

/** Each kind of cost of all runs at once: more of them, less of what disturbed one. */
function cpuCosts(runs: readonly FittedRun[], flush: number): (mailKb: number) => SendCosts {
  const fit = (value: (run: SendRun) => number, ...terms: ((one: FittedRun) => number)[]) =>
    leastSquares(runs.map((one) => ({ terms: [1, ...terms.map((term) => term(one))], value: value(one.run) })));
  const [making = 0, makingPerKb = 0] = fit((run) => run.making, kb);
  const [sender = 0, senderPerKb = 0, ...ofSender] = fit(({ cpu }) => cpu.sender, kb, commits, shared);
  const [postgres = 0, ...ofPostgres] = fit(({ cpu }) => cpu.postgres, commits, shared);
  const [relay = 0, relayPerKb = 0] = fit(({ cpu }) => cpu.relay, kb);
  const redis = sumOf(runs, ({ run }) => run.cpu.redis) / runs.length;
  const [senderCommit = 0, senderCommitShared = 0] = ofSender;
  const [postgresCommit = 0, postgresCommitShared = 0] = ofPostgres;
  const byCommit = { senderCommit, senderCommitShared, postgresCommit, postgresCommitShared };
  return (mailKb) => {
    const made = making + makingPerKb * mailKb;
    const writing = Math.max(0, sender + senderPerKb * mailKb - made);
    return { making: made, writing, ...byCommit, postgres, flush, redis, relay: relay + relayPerKb * mailKb };
  };
}

const kb = ({ run }: FittedRun) => run.mailKb;
const commits = ({ run }: FittedRun) => run.commitsPerMail;
const shared = ({ setUp, run }: FittedRun) => run.commitsPerMail * sharing(setUp);

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

function leastBy(candidates: readonly number[], of: (candidate: number) => number): number {
  const rated = candidates.map((candidate) => ({ candidate, error: of(candidate) }));
  return rated.reduce((best, one) => (one.error < best.error ? one : best)).candidate;
}
