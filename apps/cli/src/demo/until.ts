const EVERY_MS = 100;
const DEADLINE_MS = 15 * 60_000;

/** Asks again and again until the answer is yes; fails, naming what was waited for, after 15 minutes without it. */
export async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await reached())) {
    if (Date.now() > deadline) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
