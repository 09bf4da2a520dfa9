import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeProcess } from './process-info.js';

/** Notes that this process runs the server in `dir`, for `clearOrphan` after a crash. */
export async function recordOwner(dir: string): Promise<void> {
  await writeFile(join(dir, 'owner.pid'), `${process.pid}\n`);
}

/**
 * Makes `dir` startable after a crash. A server whose starter is dead (kill -9) is shut down; a `postmaster.pid` whose
 * number belongs to some other program by now is removed. Throws when the server is somebody else's who still lives.
 */
export async function clearOrphan(dir: string): Promise<void> {
  const data = join(dir, 'data');
  const pidFile = join(data, 'postmaster.pid');
  const pid = await readPid(pidFile);
  const server = pid === undefined ? undefined : await describeProcess(pid);
  if (pid === undefined || server === undefined) return;
  if (!`${server.command} `.includes(`-D ${data} `)) {
    await rm(pidFile, { force: true });
    return;
  }
  if (server.parent === (await readPid(join(dir, 'owner.pid')))) {
    throw new Error(
      `the PostgreSQL in ${dir} is already running (process ${pid}, started by process ${server.parent})`,
    );
  }
  for (const [signal, patienceMs] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (await end(pid, signal, patienceMs)) return;
  }
  throw new Error(`the abandoned PostgreSQL in ${dir} (process ${pid}) cannot be stopped`);
}

/** Sends the signal; true once the process is gone, false when it is still there after `patienceMs`. */
async function end(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  process.kill(pid, signal);
  while (await describeProcess(pid)) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

async function readPid(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 0 ? pid : undefined;
}
