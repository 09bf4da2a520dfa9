import type { Model, Predicted, SendRun } from './fit.js';
import type { StageCosts } from './measure-stages.js';
import type { SendCosts } from './pipeline.js';

/** What the hour is like; the table says so. */
export const ASSUMED = {
  /** Relays take from 25 to 75 ms over a mail. */
  relayDelay: 0.025,
  relaySpread: 0.05,
  /** Of a worker: enough that its CPU is the limit and not the relay's answers. */
  connections: 100,
  places: 2,
  eventsPerMail: 0.5,
  /** Rows of the sending log and of events. */
  exportedPerMail: 1.5,
  /** DATABASE_POOL of a worker, and of all other apps together. */
  poolOfWorker: 10,
  poolOfOthers: 60,
  /** A worker is planned with so much of what it can do. */
  load: 0.7,
};

/** What one of each carries, where nothing of ours says so: a large server, a good disk, what its makers say of Redis. */
const LIMITS = {
  postgresCores: 32,
  walMbPerSecond: 300,
  commitsPerSecond: 20_000,
  postgresConnections: 200,
  redisCommandsPerSecond: 100_000,
  gigabitPerSecond: 10,
};

export interface Measured {
  run: SendRun;
  costs: SendCosts;
  /** As `Model.idle`. */
  idle: number;
  import: StageCosts;
  event: StageCosts;
  exported: StageCosts;
}

/** A sender on a machine of its own, with a relay on another. */
export function workerOf(model: Model, mailKb: number): Predicted {
  const { connections, places, relayDelay, relaySpread } = ASSUMED;
  const relay = { relayDelay, relaySpread, relayElsewhere: true };
  return model.predict({ cores: 2, workers: 1, connections, places, ...relay }, mailKb);
}

/** What a mail uses of each part, and how much of it there is. */
export interface Part {
  name: string;
  perMail: number;
  /** Undefined: as much as there are machines. */
  limit?: number;
  limitIs?: string;
}

export function partsOf(measured: Measured, worker: Predicted): Part[] {
  const { run, event, exported } = measured;
  const { eventsPerMail, exportedPerMail, load, connections, poolOfWorker } = ASSUMED;
  const workers = 1 / (worker.rate * load);
  const all = (of: (stage: StageCosts) => number) =>
    of(measured.import) + eventsPerMail * of(event) + exportedPerMail * of(exported);
  return [
    { name: 'sender workers', perMail: workers },
    { name: 'cores of sender workers', perMail: worker.cpu.sender },
    { name: 'connections to relays', perMail: workers * connections },
    once('importer and factory, cores', measured.import.app),
    once('gateway, cores', eventsPerMail * event.app),
    once('exporter, cores', exportedPerMail * exported.app),
    part('PostgreSQL, cores', worker.cpu.postgres + all(({ postgres }) => postgres), LIMITS.postgresCores),
    part('PostgreSQL, WAL MB/s', (run.walBytesPerMail + all(({ walBytes }) => walBytes)) / 1e6, LIMITS.walMbPerSecond),
    part('PostgreSQL, commits/s', worker.commitsPerMail, LIMITS.commitsPerSecond),
    { name: 'PostgreSQL, rows written/s', perMail: 3 + eventsPerMail },
    {
      ...part(
        'PostgreSQL, connections of workers',
        workers * poolOfWorker,
        LIMITS.postgresConnections - ASSUMED.poolOfOthers,
      ),
      limitIs: `${LIMITS.postgresConnections}, less ${ASSUMED.poolOfOthers} of other apps`,
    },
    part('Redis, commands/s', run.redisCommandsPerMail, LIMITS.redisCommandsPerSecond),
    part('network, Gbit/s', (run.mailKb * 8) / 1e6, LIMITS.gigabitPerSecond),
  ];
}

const part = (name: string, perMail: number, limit: number): Part => ({
  ...{ name, perMail, limit, limitIs: `${limit.toLocaleString('en')} (assumed)` },
});

const once = (name: string, perMail: number): Part => ({
  ...{ name, perMail, limit: 1, limitIs: '1 core of one process' },
});

/** Mails per hour at which a part is full; infinite when there is always another one. */
export const breaksAt = ({ perMail, limit = Number.POSITIVE_INFINITY }: Part): number => (3_600 * limit) / perMail;
