import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));

export interface CliRun {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What `--json` printed. */
  json: unknown;
}

/**
 * The built command line as a process of its own, with nothing but `env` and PATH around it.
 * @param output a file that gets stdout and stderr; without it they are pipes
 */
export function spawnCli(
  args: readonly string[],
  env: Record<string, string>,
  cwd = '/',
  output: number | 'pipe' = 'pipe',
): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', output, output],
  });
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], env: Record<string, string>, cwd?: string): Promise<CliRun> {
  const child = spawnCli(args, env, cwd);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr, json: args.includes('--json') ? parse(stdout, stderr) : undefined };
}

function parse(stdout: string, stderr: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`no JSON on stdout: ${stdout}\n${stderr}`);
  }
}
