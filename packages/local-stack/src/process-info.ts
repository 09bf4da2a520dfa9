import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ProcessInfo {
  parent: number;
  /** Arguments joined by blanks. */
  command: string;
}

/** A living process, or undefined; one that ended and that nobody reaps (in containers without an init) does not live. */
export async function describeProcess(pid: number): Promise<ProcessInfo | undefined> {
  try {
    // Linux from /proc: small images lack ps.
    return process.platform === 'linux' ? await fromProc(pid) : await fromPs(pid);
  } catch {
    return undefined;
  }
}

async function fromProc(pid: number): Promise<ProcessInfo | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  if (/^State:\s+[ZX]/m.test(status)) return undefined;
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  return { parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]), command };
}

async function fromPs(pid: number): Promise<ProcessInfo | undefined> {
  const { stdout } = await run('ps', ['-o', 'ppid=,stat=,command=', '-p', String(pid)]);
  const found = /^\s*(\d+)\s+(\S+)\s+(.*)/.exec(stdout);
  return found && !found[2]?.startsWith('Z') ? { parent: Number(found[1]), command: found[3] ?? '' } : undefined;
}
