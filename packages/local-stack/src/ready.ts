import { setTimeout as delay } from 'node:timers/promises';
import { lastLines, type ServerProcess } from './server-process.js';

/**
 * Waits until `probe` says true. Rejects, with the last lines of the log, when the process ends first (at once) or the
 * time is over (the process is then killed). `probe` may reject: that counts as "not yet".
 */
export async function waitUntilReady(
  name: string,
  child: ServerProcess,
  logFile: string,
  probe: () => Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let gone = false;
  const exit = child.exited.then((how) => {
    gone = true;
    return how;
  });
  while (Date.now() < deadline) {
    if (gone) {
      const { code, signal } = await exit;
      throw new Error(
        `${name} ended with ${signal ?? `code ${code}`} before it was ready\n${await lastLines(logFile)}`,
      );
    }
    if (await probe().catch(() => false)) return;
    await Promise.race([exit, delay(25)]);
  }
  child.kill('SIGKILL');
  throw new Error(`${name} was not ready within ${timeoutMs} ms\n${await lastLines(logFile)}`);
}
