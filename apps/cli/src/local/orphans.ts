import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Problem } from '../support/problem.js';

/** A process of a local stack, found by what it was started with. */
interface StackProcess {
  pid: number;
  parent: number;
}

const PATIENCE_MS = 10_000;

/**
 * Ends what an earlier `up` left running on this folder when it was killed with -9: apps and Redis, which would go on
 * beside the new ones. (PostgreSQL's are ended where it is started.) Their work stands in PostgreSQL and their files.
 * Only Linux tells what a foreign process was started with; elsewhere nothing is found.
 * @throws Problem when the `up` that started them still runs
 */
export async function endOrphans(data: string): Promise<number> {
  const found = stackProcesses(data);
  const owner = found.find(({ parent }) => isUp(parent));
  if (owner)
    throw new Problem(
      `postloop is up already on ${data} (process ${owner.parent})`,
      'Use that one, stop it with Ctrl-C, or choose another --dir.',
    );
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const left = stackProcesses(data);
    for (const { pid } of left) signalTo(pid, signal);
    await untilGone(data);
  }
  return found.length;
}

function stackProcesses(data: string): StackProcess[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongsTo(pid, data))
    .map((pid) => ({ pid, parent: parentOf(pid) }));
}

/** Apps know the spool of their house; Redis works in its folder. */
function belongsTo(pid: number, data: string): boolean {
  try {
    if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
    if (
      readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .includes(`SPOOL_DIR=${join(data, 'spool')}`)
    )
      return true;
    return readlinkSync(`/proc/${pid}/cwd`) === join(data, 'redis') && /redis|valkey/.test(commandOf(pid));
  } catch {
    // Gone meanwhile, or somebody else's.
    return false;
  }
}

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

/** An orphan's parent is init, or whatever adopts orphans: never a `postloop up`. */
function isUp(pid: number): boolean {
  try {
    return pid > 1 && / up( |$)/.test(commandOf(pid));
  } catch {
    return false;
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}

async function untilGone(data: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (stackProcesses(data).length > 0 && Date.now() < deadline) await pause(50);
}
