import { Machine, Thread } from './machine.js';

/** What one mail of a set-up costs, in seconds. */
export interface SendCosts {
  /** CPU of the sender, before a mail is on the wire, */
  making: number;
  /** and to write it and read its answer. */
  writing: number;
  /** CPU of the sender for each statement, however many mails it serves. */
  senderCommit: number;
  /** CPU of PostgreSQL for the mail's two rows, batches and reading included. */
  postgres: number;
  postgresCommit: number;
  /** What the sender's thread waits for each mail while nobody computes for it. */
  stall: number;
  /** A commit's wait for the disk, in which nobody computes. */
  flush: number;
  redis: number;
  /** CPU of the relay; 0 for one on another machine. */
  relay: number;
}

export interface SetUp {
  cores: number;
  workers: number;
  /** Of each worker. */
  connections: number;
  /** Mails on a connection at a time. */
  places: number;
  /** What the relay takes over a mail, in seconds. */
  relayDelay: number;
}

export interface Prediction {
  /** Mails per second. */
  rate: number;
  commitsPerMail: number;
}

/** Senders as they are built: places on connections, one statement at a time that serves all who wait, a relay that takes its time. */
export function simulateSending(costs: SendCosts, setUp: SetUp, mails: number): Prediction {
  const machine = new Machine(setUp.cores);
  const relay = new Thread(machine);
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

function startWorker(
  machine: Machine,
  relay: Thread,
  costs: SendCosts,
  setUp: SetUp,
  takeOne: () => boolean,
  counted: () => void,
): void {
  const thread = new Thread(machine);
  let answers = 0;
  let free: Connection[] = [];
  let busy = false;

  const record = () => {
    if (busy || answers + free.length === 0) return;
    busy = true;
    thread.compute(costs.senderCommit / 2, () => {
      const settled = answers;
      const departing = free.filter(takeOne);
      answers = 0;
      free = [];
      counted();
      const rows = (settled + departing.length) / 2;
      machine.compute(costs.postgresCommit + (costs.postgres + costs.redis) * rows, () =>
        machine.after(costs.flush, () => committed(departing)),
      );
    });
  };
  const committed = (departing: readonly Connection[]) =>
    thread.compute(costs.senderCommit / 2, () => {
      busy = false;
      for (const connection of departing) thread.compute(costs.making, connection.send, costs.stall);
      record();
    });
  const landed = (connection: Connection) => {
    answers += 1;
    free.push(connection);
    record();
  };
  const places = Array.from({ length: setUp.connections }, () => {
    const connection: Connection = openConnection(machine, thread, relay, costs, setUp, () => landed(connection));
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
  relay: Thread,
  costs: SendCosts,
  setUp: SetUp,
  landed: () => void,
): Connection {
  let waiting = 0;
  let taken = false;
  const exchange = (share: number, delay: number, answered: () => void) =>
    relay.compute(costs.relay * share, () => machine.after(delay, answered));
  const envelope = () => {
    taken = true;
    waiting -= 1;
    thread.compute(costs.writing * ENVELOPE, () =>
      exchange(ENVELOPE, 0, () => thread.compute(costs.writing * MESSAGE, message)),
    );
  };
  const message = () =>
    exchange(1 - ENVELOPE, setUp.relayDelay, () => thread.compute(costs.writing * ANSWER, answered));
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

/** Shares of what a mail's way over the wire costs. */
const [ENVELOPE, MESSAGE, ANSWER] = [0.25, 0.5, 0.25];
