import type { IncomingMessage } from '@postloop/db';

type Stored = 'stored' | 'known';

/** Resolves when the messages are durable, all or none. */
export type StoreAll = (messages: readonly IncomingMessage[]) => Promise<Stored[]>;

interface Waiting {
  message: IncomingMessage;
  resolve: (stored: Stored) => void;
  reject: (error: unknown) => void;
}

const MAX_MESSAGES = 100;
const MAX_BYTES = 10_000_000;

/**
 * Stores messages with group commit: while one statement runs, all that come in gather and share the next one. So
 * statements are bounded by their own speed, not by the connections.
 */
export class StoreGroup {
  readonly #waiting: Waiting[] = [];
  #busy = false;

  constructor(private readonly storeAll: StoreAll) {}

  /** Resolves when the message is durable. */
  store(message: IncomingMessage): Promise<Stored> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      if (!this.#busy) void this.#storeGroups();
    });
  }

  async #storeGroups(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) await this.#storeGroup(this.#waiting.splice(0, this.#fitting()));
    this.#busy = false;
  }

  /** How many of those that wait one statement takes; a large message goes alone. */
  #fitting(): number {
    let bytes = 0;
    const full = this.#waiting.findIndex(({ message }, index) => {
      bytes += message.raw.length;
      return index === MAX_MESSAGES || (index > 0 && bytes > MAX_BYTES);
    });
    return full === -1 ? this.#waiting.length : full;
  }

  async #storeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const stored = await this.storeAll(group.map(({ message }) => message));
      for (const [index, { resolve }] of group.entries()) resolve(stored[index] ?? 'known');
    } catch (error) {
      const [first] = group;
      if (group.length === 1) first?.reject(error);
      // The one that is at fault, if it is one, shall fail alone.
      else await Promise.all(group.map((one) => this.#storeGroup([one])));
    }
  }
}
