import { describeError } from '@postloop/contracts';

/** Records events, all or none. */
export type Insert<E> = (events: readonly E[]) => Promise<unknown>;

/**
 * Records a batch. When the database refuses it for what is in it, halves are tried until the refused events stand
 * alone; those go to `reject` and hold up nobody.
 * @throws when the database is away or fails for another reason: the whole batch is to be tried again (events that
 * are in already do no harm)
 */
export async function recordBatch<E>(
  events: readonly E[],
  insert: Insert<E>,
  reject: (event: E, reason: string) => Promise<void>,
): Promise<void> {
  if (events.length === 0) return;
  try {
    await insert(events);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [event] = events;
    if (events.length === 1 && event !== undefined) return reject(event, describeError(error));
    const half = Math.ceil(events.length / 2);
    await recordBatch(events.slice(0, half), insert, reject);
    await recordBatch(events.slice(half), insert, reject);
  }
}

/**
 * SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): the fault is in the rows, and trying
 * again will not help. Everything else may pass: connection, resources, locks, a migration that is still to come.
 */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^2[23][0-9A-Z]{3}$/.test(String(error.code));
}
