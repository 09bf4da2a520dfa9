import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, posix, sep } from 'node:path';

/** A path that leads out of the root, by a symbolic link. `code` as Node's file system errors have it. */
export class JailError extends Error {
  override name = 'JailError';
  readonly code = 'EACCES';
}

/**
 * A user's root: client paths are absolute or relative to `/`, `..` ends at `/`, and symbolic links count only when they
 * stay inside. Proof against clients, who cannot make links here, not against local users who swap them meanwhile.
 */
export class Jail {
  readonly #root: string;

  /** `root` must exist. */
  constructor(root: string) {
    this.#root = realpathSync(root);
  }

  /** The client's own view of a path: absolute, without `.` and `..`. */
  virtual(path: string): string {
    if (path.includes('\0')) throw new JailError('NUL in a path');
    return posix.resolve('/', path);
  }

  /** The file itself; a link as last part is not followed (LSTAT, REMOVE, RENAME). Its directory must be inside. */
  async entry(path: string): Promise<string> {
    const virtual = this.virtual(path);
    if (virtual === '/') return this.#root;
    const directory = this.#inside(await realpath(join(this.#root, dirname(virtual))));
    return join(directory, basename(virtual));
  }

  /** What a path leads to, links followed (OPEN, STAT, OPENDIR); for a file that is not there yet, where it would be. */
  async target(path: string): Promise<string> {
    const entry = await this.entry(path);
    try {
      return this.#inside(await realpath(entry));
    } catch (error) {
      if (error instanceof JailError || !isMissing(error)) throw error;
      return entry;
    }
  }

  #inside(real: string): string {
    if (real === this.#root || real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) return real;
    throw new JailError('the path leads out of the root directory');
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
