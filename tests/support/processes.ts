import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AppProcess } from '@postloop/local-stack';
import { until } from './until.js';

const run = promisify(execFile);

/** Waits until the process stands still (SIGSTOP): it reads, writes and renews nothing any more. */
export function untilStopped({ pid, name }: AppProcess): Promise<true> {
  return until(`${name} stands still`, async () => {
    const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]);
    return stdout.startsWith('T') || undefined;
  });
}

/** Has a process that may stand still go on and end, when the test is over. */
export function ended(app: AppProcess): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      app.kill('SIGCONT');
      await app.stop();
    },
  };
}

/** The value of a series such as `postloop_mails_total{status="sent"}`, as the app serves it. */
export async function metricOf({ healthPort }: AppProcess, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no series ${series}`);
  return Number(line.slice(series.length + 1));
}
