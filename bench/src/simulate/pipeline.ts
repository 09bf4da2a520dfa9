import { Machine, Thread } from './machine.js';

/** What one mail of a set-up costs, in seconds. */
export interface SendCosts {
  /** CPU of the sender, before a mail is on the wire, */
  making: number;
  /** and to write it and read its answer. */
  writing: number;
  /** CPU of the sender for each statement, however many mails it serves, */
  senderCommit: number;
  /** and what comes on top when senders share cores: one that waits for a statement gives its core, and its caches, to another. */
  senderCommitShared: number;
  /** CPU of PostgreSQL for the mail's two rows, batches and reading included. */
  postgres: number;
  postgresCommit: number;
  postgresCommitShared: number;
  /** A commit's wait for the disk, in which nobody computes. */
  flush: number;
  redis: number;
  /** CPU of the relay. */
  relay: number;
}

export interface SetUp {
  cores: number;
  workers: number;
  /** Of each worker. */
  connections: number;
  /** Mails on a connection at a time. */
  places: number;
  /** What the relay takes over a mail at least, in seconds, and what comes on top, evenly spread. */
  relayDelay: number;
  relaySpread: number;
  /** The relay computes on another machine. */
  relayElsewhere?: boolean;
}

/** How likely another sender was on the core before: 0 for one sender, 1 for many. */
export const sharing = ({ cores, workers }: Pick<SetUp, 'cores' | 'workers'>): number =>
  (1 - 1 / workers) * Math.min(1, workers / cores);

/** CPU of the sender and of PostgreSQL for one statement. */
export function commitCosts(costs: SendCosts, setUp: SetUp): [sender: number, postgres: number] {
  const share = sharing(setUp);
  return [
    costs.senderCommit + costs.senderCommitShared * share,
    costs.postgresCommit + costs.postgresCommitShared * share,
  ];
}

export interface Prediction {
  /** Mails per second. */
  rate: number;
  commitsPerMail: number;
}

/**
 * Senders as they are built: places on connections, one statement at a time that serves all who wait, a relay that takes its time.
 * @param idle share of full cores; see `Machine`
 */
export function simulateSending(costs: SendCosts, idle: number, setUp: SetUp, mails: number): Prediction {
  const machine = new Machine(setUp.cores, idle);
  const relay: Relay = {
    thread: new Thread(machine),
    cost: setUp.relayElsewhere ? 0 : costs.relay,
    takes: spread(setUp.relayDelay, setUp.relaySpread),
  };
  let left = mails;
  let statements = 0;
  const takeOne = () => left > 0 && left-- > 0;
  const counted = () => {
    statements += 1;
  };
  for (let worker = 0; worker < setUp.workers; worker += 1) startWorker(machine, relay, costs, setUp, takeOne, counted);
  machine.run();
  return { rate: mails / machine.now, commitsPerMail: statements / mails };
}

interface Relay {
  thread: Thread;
  cost: number;
  /** Seconds over the next mail. */
  takes: () => number;
}

/** The same numbers in each run (mulberry32). */
function spread(least: number, width: number): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return least + (width * ((mixed ^ (mixed >>> 14)) >>> 0)) / 2 ** 32;
  };
}

function startWorker(
  machine: Machine,
  relay: Relay,
  costs: SendCosts,
  setUp: SetUp,
  takeOne: () => boolean,
  counted: () => void,
): void {
  const thread = new Thread(machine);
  const [senderCommit, postgresCommit] = commitCosts(costs, setUp);
  let answers = 0;
  let free: Connection[] = [];
  let busy = false;

  const record = () => {
    if (busy || answers + free.length === 0) return;
    busy = true;
    thread.compute(senderCommit / 2, () => {
      const settled = answers;
      const departing = free.filter(takeOne);
      answers = 0;
      free = [];
      counted();
      const rows = (settled + departing.length) / 2;
      machine.compute(postgresCommit + (costs.postgres + costs.redis) * rows, () =>
        machine.after(costs.flush, () => committed(departing)),
      );
    });
  };
  const committed = (departing: readonly Connection[]) =>
    thread.compute(senderCommit / 2, () => {
      busy = false;
      for (const connection of departing) thread.compute(costs.making, connection.send);
      record();
    });
  const landed = (connection: Connection) => {
    answers += 1;
    free.push(connection);
    record();
  };
  const places = Array.from({ length: setUp.connections }, () => {
    const connection: Connection = openConnection(machine, thread, relay, costs, () => landed(connection));
    return Array.from({ length: setUp.places }, () => connection);
  });
  free = places.flat();
  record();
}

interface Connection {
  /** A mail is made. */
  send: () => void;
}

/**
 * A mail is an envelope, a message and an answer (RFC 5321). While one is with the relay the next one's envelope is out as well
 * (RFC 2920), and its message goes out when the answer is there.
 */
function openConnection(
  machine: Machine,
  thread: Thread,
  relay: Relay,
  costs: SendCosts,
  landed: () => void,
): Connection {
  let waiting = 0;
  let taken = false;
  const exchange = (share: number, delay: number, answered: () => void) =>
    relay.thread.compute(relay.cost * share, () => machine.after(onTick(machine.now, delay), answered));
  const envelope = () => {
    taken = true;
    waiting -= 1;
    thread.compute(costs.writing * ENVELOPE, () =>
      exchange(ENVELOPE, 0, () => thread.compute(costs.writing * MESSAGE, message)),
    );
  };
  const message = () => exchange(1 - ENVELOPE, relay.takes(), () => thread.compute(costs.writing * ANSWER, answered));
  const answered = () => {
    landed();
    taken = waiting > 0;
    if (!taken) return;
    waiting -= 1;
    thread.compute(costs.writing * (ENVELOPE + MESSAGE), message);
  };
  return {
    send() {
      waiting += 1;
      if (!taken) envelope();
    },
  };
}

/** Timers of a process count milliseconds, so that what ends in the same one ends together. */
const onTick = (now: number, delay: number): number =>
  delay === 0 ? 0 : Math.ceil((now + delay) * 1_000) / 1_000 - now;

/** Shares of what a mail's way over the wire costs. */
const [ENVELOPE, MESSAGE, ANSWER] = [0.25, 0.5, 0.25];
