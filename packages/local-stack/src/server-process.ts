import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { bareEnvironment } from './env.js';
import { guardChild } from './exit-guard.js';

export interface ServerProcessOptions {
  command: string;
  args: string[];
  /** Output and errors are appended here, by the child itself, so that they are complete whatever happens to us. */
  logFile: string;
  /** The whole environment; default: PATH, LC_ALL=C, TZ=UTC. */
  env?: Record<string, string>;
  cwd?: string;
  /** Run as this user (needs root). */
  user?: { uid: number; gid: number } | undefined;
  /** What the child gets when we end without stopping it. Default SIGTERM. */
  lastSignal?: NodeJS.Signals;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running child. It is in a process group of its own, so Ctrl-C in a terminal reaches only us and we end it in order. */
export interface ServerProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** False when the process is gone already. */
  kill(signal: NodeJS.Signals): boolean;
}

/** Starts a program; rejects when it cannot be started at all. */
export async function spawnServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const log = openSync(options.logFile, 'a');
  let child: ChildProcess;
  try {
    child = spawn(options.command, options.args, {
      cwd: options.cwd ?? '/',
      env: options.env ?? bareEnvironment(),
      stdio: ['ignore', log, log],
      detached: true,
      ...options.user,
    });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${options.command} has no process ID`);
  const release = guardChild(pid, options.lastSignal ?? 'SIGTERM');
  exited.then(release);
  return { pid, exited, kill: (signal) => child.kill(signal) };
}

/** The end of a log file, for error messages: at most `lines` lines of its last 8 KB. */
export async function lastLines(file: string, lines = 15): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return '(no log)';
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - 8192);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    await handle.close();
  }
}
