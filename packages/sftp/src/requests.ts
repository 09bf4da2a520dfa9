import type { Socket } from 'node:net';
import { posix } from 'node:path';
import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { SftpConnectionLost, type SftpError, toSftpError } from './errors.js';

type Settle<T> = (error: Error | null | undefined, value: T) => void;

/**
 * ssh2's callbacks as promises, one method per SFTP request. Every promise ends: a request that is open when the
 * connection goes, or is made afterwards, rejects with SftpConnectionLost (ssh2 alone would leave the latter hanging).
 */
export class SftpRequests {
  #lost: SftpError | undefined;
  readonly #open = new Set<(error: SftpError) => void>();
  readonly #sftp: SFTPWrapper;
  readonly #socket: Pick<Socket, 'cork' | 'uncork'>;
  readonly #root: string;
  #corked = false;

  /** All paths are taken below `root`, a directory of the server. */
  constructor(sftp: SFTPWrapper, socket: Pick<Socket, 'cork' | 'uncork'>, root: string) {
    this.#sftp = sftp;
    this.#socket = socket;
    this.#root = root;
  }

  /** To be called once when the connection is gone, for whatever reason. */
  connectionLost(reason: string): void {
    this.#lost ??= new SftpConnectionLost(reason);
    for (const reject of this.#open) reject(this.#lost);
    this.#open.clear();
  }

  openFile(path: string, flags: 'r' | 'w'): Promise<Buffer> {
    return this.#request(`open ${path}`, (settle: Settle<Buffer>) => this.#sftp.open(this.#at(path), flags, settle));
  }

  closeFile(handle: Buffer): Promise<void> {
    return this.#request('close', (settle: Settle<void>) => this.#sftp.close(handle, (error) => settle(error)));
  }

  /** Up to `length` bytes at `position`; fewer, also before the end of the file, if the server likes. Empty = end of file. */
  read(handle: Buffer, position: number, length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(length);
    return this.#request('read', (settle: Settle<Buffer>) =>
      this.#sftp.read(handle, target, 0, length, position, (error, count) => settle(error, target.subarray(0, count))),
    );
  }

  write(handle: Buffer, position: number, bytes: Buffer): Promise<void> {
    return this.#request('write', (settle: Settle<void>) =>
      this.#sftp.write(handle, bytes, 0, bytes.length, position, (error) => settle(error)),
    );
  }

  /** fsync@openssh.com where the server has it; says whether it does. */
  sync(handle: Buffer): Promise<boolean> {
    return this.#ifOffered('fsync', (settle) => this.#sftp.ext_openssh_fsync(handle, (error) => settle(error)));
  }

  stat(path: string): Promise<Stats> {
    return this.#request(`stat ${path}`, (settle: Settle<Stats>) => this.#sftp.stat(this.#at(path), settle));
  }

  list(path: string): Promise<FileEntryWithStats[]> {
    return this.#request(`list ${path}`, (settle: Settle<FileEntryWithStats[]>) =>
      this.#sftp.readdir(this.#at(path), settle),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.#request(`rename ${from} to ${to}`, (settle: Settle<void>) =>
      this.#sftp.rename(this.#at(from), this.#at(to), (error) => settle(error)),
    );
  }

  /** posix-rename@openssh.com, which replaces the target in one step, where the server has it; says whether it does. */
  renameOver(from: string, to: string): Promise<boolean> {
    return this.#ifOffered(`rename ${from} over ${to}`, (settle) =>
      this.#sftp.ext_openssh_rename(this.#at(from), this.#at(to), (error) => settle(error)),
    );
  }

  remove(path: string): Promise<void> {
    return this.#request(`remove ${path}`, (settle: Settle<void>) =>
      this.#sftp.unlink(this.#at(path), (error) => settle(error)),
    );
  }

  makeDirectory(path: string): Promise<void> {
    return this.#request(`make directory ${path}`, (settle: Settle<void>) =>
      this.#sftp.mkdir(this.#at(path), (error) => settle(error)),
    );
  }

  #at(path: string): string {
    return posix.join(this.#root, path);
  }

  async #ifOffered(what: string, send: (settle: Settle<void>) => void): Promise<boolean> {
    let offered = true;
    await this.#request(what, (settle: Settle<void>) => {
      try {
        send(settle);
      } catch {
        // ssh2 throws before it sends anything when the server did not announce the extension.
        offered = false;
        settle(undefined);
      }
    });
    return offered;
  }

  /** Requests of one turn go out in one write; ssh2 writes each in three. */
  #gather(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #request<T>(what: string, send: (settle: Settle<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      this.#open.add(reject);
      this.#gather();
      send((error, value) => {
        this.#open.delete(reject);
        if (error) reject(toSftpError(error, what));
        else resolve(value);
      });
    });
  }
}
