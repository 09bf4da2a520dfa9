import type { FileHandle } from 'node:fs/promises';
import type { FileEntry } from 'ssh2';

export interface OpenFile {
  file: FileHandle;
  /** READs and WRITEs under way; a CLOSE waits for them. */
  busy: Set<Promise<unknown>>;
}

/** Entries that READDIR has not sent yet. */
export interface OpenDirectory {
  rest: FileEntry[];
}

/** What a session has open. A handle on the wire is a number of four bytes; a session may hold 1,000. */
export class Handles {
  readonly #open = new Map<number, OpenFile | OpenDirectory>();
  #next = 0;

  add(value: OpenFile | OpenDirectory): Buffer {
    this.#next = (this.#next + 1) >>> 0;
    this.#open.set(this.#next, value);
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(this.#next);
    return handle;
  }

  get full(): boolean {
    return this.#open.size >= 1000;
  }

  file(handle: Buffer): OpenFile | undefined {
    const found = this.#find(handle);
    return found && 'file' in found ? found : undefined;
  }

  directory(handle: Buffer): OpenDirectory | undefined {
    const found = this.#find(handle);
    return found && 'rest' in found ? found : undefined;
  }

  /** False when there is no such handle. */
  async close(handle: Buffer): Promise<boolean> {
    const found = this.#find(handle);
    if (!found) return false;
    this.#open.delete(handle.readUInt32BE());
    await closeOne(found);
    return true;
  }

  async closeAll(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(all.map(closeOne));
  }

  #find(handle: Buffer): OpenFile | OpenDirectory | undefined {
    return handle.length === 4 ? this.#open.get(handle.readUInt32BE()) : undefined;
  }
}

async function closeOne(open: OpenFile | OpenDirectory): Promise<void> {
  if (!('file' in open)) return;
  await Promise.allSettled(open.busy);
  await open.file.close();
}
