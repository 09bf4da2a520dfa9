import { setTimeout as pause } from 'node:timers/promises';
import { Problem } from './problem.js';

const EVERY_MS = 100;
const DEADLINE_MS = 15 * 60_000;

/** Asks again and again until the answer is yes; fails, naming what was waited for, after the deadline (15 minutes). */
export async function until(what: string, reached: () => Promise<boolean>, deadlineMs = DEADLINE_MS): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await reached())) {
    if (Date.now() > deadline)
      throw new Problem(
        `gave up waiting until ${what}`,
        'Look at `postloop queue status` and at the logs of the apps: one of them may not run.',
      );
    await pause(EVERY_MS);
  }
}
