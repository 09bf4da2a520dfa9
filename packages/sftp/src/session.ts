import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { SftpAlreadyExists, SftpError, SftpNotFound } from './errors.js';
import { type RemoteFile, toRemoteFile, toRemoteFiles } from './remote-file.js';
import type { SftpRequests } from './requests.js';
import { readAll, readStream, writeFile } from './transfer.js';

export interface PutOptions {
  /** Take the place of an existing file. Without it an existing target is an error. */
  replace?: boolean;
}

/**
 * One authenticated connection. Methods may run at the same time; when the connection breaks, all of them reject
 * with SftpConnectionLost and the session is of no further use.
 */
export class SftpSession implements AsyncDisposable {
  readonly #requests: SftpRequests;
  readonly #disconnect: () => Promise<void>;

  /** Made by `connectSftp`. */
  constructor(requests: SftpRequests, disconnect: () => Promise<void>) {
    this.#requests = requests;
    this.#disconnect = disconnect;
  }

  /** Entries of a directory, in no order, without names that hold `/`, NUL or control characters. SftpNotFound. */
  async list(directory: string): Promise<RemoteFile[]> {
    return toRemoteFiles(await this.#requests.list(directory));
  }

  async stat(path: string): Promise<RemoteFile | null> {
    try {
      return toRemoteFile(path, await this.#requests.stat(path));
    } catch (error) {
      if (error instanceof SftpNotFound) return null;
      throw error;
    }
  }

  /** The file's bytes, read ahead. A missing file is an `error` event (SftpNotFound); destroying the stream closes it. */
  openRead(path: string): Readable {
    return readStream(this.#requests, path);
  }

  /** The whole file; SftpTooLarge beyond `maxBytes`. */
  readAll(path: string, maxBytes: number): Promise<Buffer> {
    return readAll(this.#requests, path, maxBytes);
  }

  /**
   * Uploads under `.NAME.part` in the same directory, checks the size that the server sees, then renames. Whoever polls
   * the directory sees the whole file or none. On any failure the temporary file is removed where that still works.
   * Throws SftpAlreadyExists when the target is there and `replace` is not set.
   */
  async putAtomic(path: string, source: Readable | Buffer, options: PutOptions = {}): Promise<{ bytes: number }> {
    if (!options.replace && (await this.stat(path))) {
      if (!Buffer.isBuffer(source)) source.destroy();
      throw new SftpAlreadyExists(`${path} already exists`);
    }
    const temporary = posix.join(posix.dirname(path), `.${posix.basename(path)}.part`);
    try {
      const written = await this.upload(temporary, source);
      await this.rename(temporary, path, options);
      return written;
    } catch (error) {
      await this.#requests.remove(temporary).catch(() => {});
      throw error;
    }
  }

  /**
   * Writes the file under this very name, over what is there, and checks the size that the server sees. For callers that
   * rename later: whoever polls the directory sees the file grow. A failure leaves what was written.
   */
  async upload(path: string, source: AsyncIterable<Buffer | string> | Buffer): Promise<{ bytes: number }> {
    const bytes = await writeFile(this.#requests, path, source);
    const seen = (await this.#requests.stat(path)).size;
    if (seen !== bytes) throw new SftpError(`put ${path}: wrote ${bytes} bytes, the server has ${seen}`);
    return { bytes };
  }

  /**
   * Overwrites only with `replace`: otherwise SftpAlreadyExists when `to` is there. SftpNotFound when `from` is gone, so
   * one of many movers wins.
   */
  async rename(from: string, to: string, options: PutOptions = {}): Promise<void> {
    if (options.replace) return this.#renameOver(from, to);
    // Asked first, because some servers rename over an existing target, in spite of SFTP v3.
    await this.#refuseExisting(to);
    try {
      await this.#requests.rename(from, to);
    } catch (error) {
      throw await this.#explainRename(from, to, error);
    }
  }

  /** Removes a file. SftpNotFound. */
  remove(path: string): Promise<void> {
    return this.#requests.remove(path);
  }

  /** Makes each directory and its parents where missing. Several processes may do so at once. */
  async makeDirectories(paths: string[]): Promise<void> {
    for (const path of paths) await this.#makeDirectory(posix.normalize(path).replace(/(.)\/$/, '$1'));
  }

  async close(): Promise<void> {
    this.#requests.connectionLost('the SFTP session is closed');
    await this.#disconnect();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #refuseExisting(path: string): Promise<void> {
    if (await this.stat(path)) throw new SftpAlreadyExists(`${path} already exists`);
  }

  /** SFTP v3 has one status for nearly everything (SSH_FX_FAILURE), so look at what is there now. */
  async #explainRename(from: string, to: string, error: unknown): Promise<unknown> {
    if (error instanceof SftpNotFound || !(error instanceof SftpError) || error.code === undefined) return error;
    if (!(await this.stat(from))) return new SftpNotFound(`rename ${from}: no such file`, error.code, { cause: error });
    if (await this.stat(to)) return new SftpAlreadyExists(`${to} already exists`, error.code, { cause: error });
    return error;
  }

  async #renameOver(from: string, to: string): Promise<void> {
    if (await this.#requests.renameOver(from, to)) return;
    // Plain SFTP v3 cannot replace: for a moment there is no file.
    await this.#requests.remove(to).catch((error: unknown) => {
      if (!(error instanceof SftpNotFound)) throw error;
    });
    await this.#requests.rename(from, to);
  }

  async #makeDirectory(path: string): Promise<void> {
    const found = await this.stat(path);
    if (found?.isDirectory) return;
    if (found) throw new SftpAlreadyExists(`${path} already exists and is not a directory`);
    const parent = posix.dirname(path);
    if (parent !== path) await this.#makeDirectory(parent);
    try {
      await this.#requests.makeDirectory(path);
    } catch (error) {
      // Somebody else made it in the meantime.
      if (!(await this.stat(path))?.isDirectory) throw error;
    }
  }
}
