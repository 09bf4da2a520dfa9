import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** A program that a bench started, and stops. */
export interface Tool extends AsyncDisposable {
  pid: number;
}

/** Its output goes to the log file. It ends with this process. */
export async function spawnTool(
  path: string,
  args: readonly string[],
  options: { env: Record<string, string>; logFile: string; cwd?: string },
): Promise<Tool> {
  const log = openSync(options.logFile, 'a');
  const env = { ...process.env, ...options.env };
  const child: ChildProcess = spawn(path, [...args], { env, stdio: ['ignore', log, log], cwd: options.cwd });
  closeSync(log);
  await once(child, 'spawn');
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      process.off('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      end();
      await gone;
    },
  };
}
