import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of the spool: `000000000001.spool`, `000000000002.spool`, … in the order of writing. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes from the start that are on disk and may be read. The writer moves it forward, after the flush. */
  durable: number;
  /** Nothing will be appended any more. */
  finished: boolean;
}

const NAME = /^(\d{12})\.spool$/;

export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(12, '0')}.spool`);
}

/** What an earlier life left behind, oldest first. All of it is finished: a new life begins a new segment. */
export async function findSegments(directory: string): Promise<Segment[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      return { number: Number(name.slice(0, 12)), path, durable: (await stat(path)).size, finished: true };
    }),
  );
}

/** Makes the names of new files durable; fsync of a file alone does not promise that (fsync(2)). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
