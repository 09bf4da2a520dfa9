import { describeError } from '@postloop/contracts';
import type { Logger } from '@postloop/service-kit';
import type { MailSession } from './mail-session.js';
import { openSession, type SmtpServer } from './open-session.js';

/** What bounds the connections of all workers to a server; see `Limits`. */
export interface ConnectionPlaces {
  acquire(signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /** Another worker waits for its share. */
  isOver(): boolean;
}

const IDLE_MS = 5_000;
const FIRST_BACKOFF_MS = 250;
const LAST_BACKOFF_MS = 30_000;

/** One place in the pool: a session that is opened when needed, again after it was lost, and closed when idle. */
export class Connection {
  #session: Promise<MailSession | undefined> | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Mails that are on their way to the session. */
  #held = 0;
  readonly #stop = new AbortController();

  constructor(
    private readonly server: SmtpServer,
    private readonly log: Logger,
    private readonly onLost: () => void,
    private readonly places?: ConnectionPlaces,
  ) {}

  /** An open session; waits, with growing pauses, while the server cannot be reached. Undefined once closed. */
  async session(): Promise<MailSession | undefined> {
    const tried = this.#session;
    const current = await tried;
    if (current?.isOpen) return current;
    // Of the places that find it closed, the first opens it again.
    if (this.#session === tried) this.#session = this.#open();
    return this.#session;
  }

  /** Nothing to send for now: QUIT if that stays so, or if another worker waits for a connection. */
  rest(): void {
    if (this.places?.isOver()) void this.#quitUnlessHeld();
    // Made once and set anew: it is asked for with every mail.
    this.#idle ??= setTimeout(() => void this.#quitUnlessHeld(), IDLE_MS).unref();
    this.#idle.refresh();
  }

  /** A mail is being made ready for the session: it must not be closed until `release`. */
  hold(): void {
    this.#held += 1;
  }

  release(): void {
    this.#held -= 1;
  }

  async #quitUnlessHeld(): Promise<void> {
    const session = await this.#session;
    if (this.#held === 0) session?.quitWhenIdle();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#idle);
    (await this.#session)?.quitWhenIdle();
  }

  async #open(): Promise<MailSession | undefined> {
    for (let pause = FIRST_BACKOFF_MS; !this.#stop.signal.aborted; pause = Math.min(pause * 2, LAST_BACKOFF_MS)) {
      if (this.places && !(await this.places.acquire(this.#stop.signal))) return undefined;
      try {
        const session = await this.#openUnlessStopped();
        if (!session) this.places?.leave();
        void session?.closed.then(() => {
          this.places?.leave();
          this.onLost();
        });
        return session;
      } catch (error) {
        this.places?.leave();
        this.log.warn({ error: describeError(error), retryInMs: pause }, 'mail server cannot be reached');
        await abortablePause(pause, this.#stop.signal);
      }
    }
    return undefined;
  }

  /** A server that does not answer must not hold up a worker that is to stop. */
  #openUnlessStopped(): Promise<MailSession | undefined> {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      const stopped = () => resolve(undefined);
      signal.addEventListener('abort', stopped, { once: true });
      const opened = (session: MailSession) => {
        if (signal.aborted) session.quitWhenIdle();
        resolve(session);
      };
      void openSession(this.server)
        .then(opened, reject)
        .finally(() => signal.removeEventListener('abort', stopped));
    });
  }
}

function abortablePause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
