import type { openJobWorker } from './connection.js';
import { closeOrCut } from './patience.js';

type JobWorker = ReturnType<typeof openJobWorker>;

const REOPEN_MS = 1_000;

/**
 * Opens a worker, and opens it anew until it has reached its backend once: BullMQ 6.7 remembers a first try on PostgreSQL
 * that failed and makes no other. Later losses of the connection a worker survives by itself.
 */
export function keepOpen(open: () => JobWorker): { close(running: ReadonlySet<Promise<unknown>>): Promise<void> } {
  let worker = open();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const watch = (): void => {
    worker.waitUntilReady().catch(async () => {
      if (closed) return;
      await closeOrCut(worker);
      if (closed) return;
      timer = setTimeout(() => {
        worker = open();
        watch();
      }, REOPEN_MS);
    });
  };
  watch();

  return {
    async close(running) {
      closed = true;
      clearTimeout(timer);
      await closeOrCut(worker, running);
    },
  };
}
