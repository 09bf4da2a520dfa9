/** Rejects with `what` when the promise takes longer than `ms`; what it does then is nobody's business any more. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What of a BullMQ queue or worker it takes to close it. */
interface Closable {
  close(): Promise<void>;
  getBackend(): { close(force?: boolean): Promise<void> };
}

const CLOSE_MS = 3_000;

/**
 * Closes in order, once nothing of `running` runs any more. A Redis that is away would make that wait until it returns:
 * then the connections are cut. What could not be said to it (that a job ended) is found out by the job's lock.
 */
export async function closeOrCut(opened: Closable, running: ReadonlySet<Promise<unknown>> = new Set()): Promise<void> {
  const closed = opened.close();
  for (;;) {
    await Promise.allSettled(running);
    try {
      return await within(CLOSE_MS, 'closing takes too long', closed);
    } catch {
      // Closing takes up to one job that was being fetched.
      if (running.size > 0) continue;
      return await within(CLOSE_MS, 'cutting takes too long', opened.getBackend().close(true)).catch(() => undefined);
    }
  }
}
