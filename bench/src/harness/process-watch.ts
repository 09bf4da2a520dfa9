import { readdirSync, readFileSync } from 'node:fs';
import type { AppProcess } from '@postloop/local-stack';

/** Between two looks at processes that come and go, such as PostgreSQL's. */
const LOOK_MS = 200;
/** Of the kernel's clock of CPU time, as `getconf CLK_TCK` says on every Linux. */
const TICKS_PER_SECOND = 100;

/**
 * Memory and CPU time of named processes with all their children (Linux: /proc). A server of many processes is shown by its
 * largest one.
 */
export class ProcessWatch implements Disposable {
  readonly #roots: ReadonlyMap<string, number>;
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** @param pids process IDs by name */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#roots = new Map(Object.entries(pids));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Highest resident memory so far, in megabytes. */
  peakRssMb(): Record<string, number> {
    this.#look();
    return Object.fromEntries(this.#peaks);
  }

  /** User and system time so far in seconds, of processes that ended too. */
  cpuSeconds(): Record<string, number> {
    const children = childrenByParent();
    return Object.fromEntries(
      [...this.#roots].map(([name, pid]) => [name, sum(treeOf(pid, children).map(cpuTicks)) / TICKS_PER_SECOND]),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const children = childrenByParent();
    for (const [name, pid] of this.#roots) {
      const peak = Math.max(this.#peaks.get(name) ?? 0, ...treeOf(pid, children).map(peakMegabytes));
      this.#peaks.set(name, peak);
    }
  }
}

/** Process IDs by name; of several instances the second is `NAME 2`. */
export function pidsOf(apps: readonly AppProcess[]): Record<string, number> {
  const counts = new Map<string, number>();
  return Object.fromEntries(
    apps.map(({ name, pid }) => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return [count === 1 ? name : `${name} ${count}`, pid];
    }),
  );
}

function treeOf(pid: number, children: ReadonlyMap<number, number[]>): number[] {
  return [pid, ...(children.get(pid) ?? []).flatMap((child) => treeOf(child, children))];
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? Number(statOf(Number(name))[1]) : 0;
    if (parent > 0) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}

/** Of children of this process that ended. */
export function endedChildrenSeconds(): number {
  return sum(statOf(process.pid).slice(13, 15).map(Number)) / TICKS_PER_SECOND;
}

/** proc(5): utime, stime and those of children that were waited for. */
function cpuTicks(pid: number): number {
  return sum(statOf(pid).slice(11, 15).map(Number));
}

/** The fields from the state on: what stands before may hold blanks. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function peakMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

/** Empty when the process is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
