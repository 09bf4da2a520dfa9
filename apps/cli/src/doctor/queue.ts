import { checkQueueBackend, type QueueConnection } from '@postloop/queue';
import { explainQueueError, placeOf } from '../explain.js';
import { type CheckResult, fail, ok, skipped } from './check.js';

const CHECK = 'queue';

export async function checkQueue(queue: QueueConnection | undefined): Promise<CheckResult> {
  if (!queue) return skipped(CHECK, 'not configured');
  if (queue.backend === 'postgres') return ok(CHECK, 'jobs wait in PostgreSQL');
  try {
    await checkQueueBackend(queue);
    return ok(CHECK, `Redis at ${placeOf(queue.url)}, evicts nothing`);
  } catch (error) {
    return fail(CHECK, explainQueueError(error, queue.url));
  }
}
