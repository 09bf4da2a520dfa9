import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** Keeps a record that can never be recorded, for a person to look at. Durable when it resolves. */
export type Reject = (payload: Buffer, reason: string) => Promise<void>;

/** Appends to `rejected.jsonl` in the spool directory: one JSON object a line, `at` (ISO 8601), `reason`, `record`. */
export function rejectInto(directory: string, now: () => Date): Reject {
  return async (payload, reason) => {
    const handle = await open(join(directory, 'rejected.jsonl'), 'a', 0o600);
    try {
      const line = { at: now().toISOString(), reason, record: payload.toString() };
      await handle.writeFile(`${JSON.stringify(line)}\n`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  };
}
