import type { SftpSession } from '@postloop/sftp';

/** Opens a session of the client's account; null is the one for all. */
export type Connect = (account: string | null) => Promise<SftpSession>;

/** The sessions of one round, one per account: a server that is away is tried once, not once per client. */
export class SftpSessions implements AsyncDisposable {
  readonly #connect: Connect;
  readonly #opened = new Map<string | null, Promise<SftpSession>>();

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  of(account: string | null): Promise<SftpSession> {
    const opened = this.#opened.get(account) ?? this.#connect(account);
    this.#opened.set(account, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = await Promise.allSettled(this.#opened.values());
    for (const one of ended) if (one.status === 'fulfilled') await one.value.close();
  }
}
