import { mkdir } from 'node:fs/promises';
import { get } from 'node:http';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from './env.js';
import { freePort } from './free-port.js';
import { waitUntilReady } from './ready.js';
import { type Exit, spawnServer } from './server-process.js';

export interface AppOptions {
  /** The app's whole environment, but for PATH. HEALTH_PORT and the size of the sender's thread pool are chosen when they are not in here. */
  env: Record<string, string>;
  /** Output and errors are appended. */
  logFile: string;
  /** Named place in the app at which it kills itself, for fault tests (environment variable POSTLOOP_KILL_POINT). */
  killPoint?: string;
  /** Default: the compiled app in this repository, `apps/NAME/dist/main.js`. */
  main?: string;
  /** Default 30,000. */
  readyTimeoutMs?: number;
  /** For Node itself, e.g. `--cpu-prof`. */
  nodeArgs?: readonly string[];
}

/**
 * Bounds of an app's heap in megabytes, as in the image. No app needs half of it, but without a bound it grows long before it is
 * collected; the young generation keeps the size that it has without one.
 */
const HEAP = ['--max-old-space-size=400', '--max-semi-space-size=16'];
/**
 * As in docker-compose.yml. With a million rows a young generation of 16 made the importer 20 MB larger and no faster. What passes
 * Buffers on has its heap marked when it has grown by that many percent, Buffers included: by its own reckoning V8 marks
 * 30 MB of code and connections again for every 10 to 25 MB of Buffers. (The sender's heap, marked at double, holds 40 MB more.)
 */
const HEAP_OF: Readonly<Record<string, readonly string[]>> = {
  importer: ['--max-semi-space-size=4', '--heap-growing-percent=100'],
  'response-exporter': ['--heap-growing-percent=200'],
};

/** DKIM: threads beyond the cores only take them from one another, and Node's four sign more than a worker sends (docs/TRANSPORTS.md). */
const ENV_OF: Readonly<Record<string, Record<string, string>>> = {
  'sender-workers': { UV_THREADPOOL_SIZE: String(Math.min(4, Math.max(2, availableParallelism()))) },
};

/** Options for Node of an app; of two that say the same the last counts. */
export const heapOf = (app: string): string[] => [...HEAP, ...(HEAP_OF[app] ?? [])];

export interface AppProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly healthPort: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** False when it is gone already. Await `exited` to see it go. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGTERM, then waits for the orderly end. */
  stop(): Promise<Exit>;
}

/**
 * Starts an app as a process of its own; resolves when `GET /readyz` on its health port answers 200. Rejects with the last
 * log lines when it ends first or the time is over.
 */
export async function startApp(name: string, options: AppOptions): Promise<AppProcess> {
  const healthPort = options.env.HEALTH_PORT ? Number(options.env.HEALTH_PORT) : await freePort();
  const { PATH = '' } = bareEnvironment();
  await mkdir(dirname(options.logFile), { recursive: true });
  const child = await spawnServer({
    command: process.execPath,
    args: [
      ...heapOf(name),
      ...(options.nodeArgs ?? []),
      options.main ?? join(repositoryRoot(), 'apps', name, 'dist', 'main.js'),
    ],
    logFile: options.logFile,
    cwd: repositoryRoot(),
    env: {
      PATH,
      ...ENV_OF[name],
      ...options.env,
      HEALTH_PORT: String(healthPort),
      ...(options.killPoint === undefined ? {} : { POSTLOOP_KILL_POINT: options.killPoint }),
    },
  });
  const ready = () => statusOf(`http://127.0.0.1:${healthPort}/readyz`).then((status) => status === 200);
  await waitUntilReady(name, child, options.logFile, ready, options.readyTimeoutMs);
  const stop = () => {
    child.kill('SIGTERM');
    return child.exited;
  };
  return {
    name,
    pid: child.pid,
    healthPort,
    logFile: options.logFile,
    exited: child.exited,
    kill: child.kill,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** This file is `packages/local-stack/{src,dist}/app-process.*`. */
function repositoryRoot(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
}

function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}
