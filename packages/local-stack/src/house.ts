import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AppProcess, startApp } from './app-process.js';
import { freePort } from './free-port.js';
import type { Stack } from './stack.js';

export const appNames = [
  'sftp-ingest',
  'importer',
  'mailing-factory',
  'sender-workers',
  'tracking-gateway',
  'inbound-mail',
  'response-exporter',
  'scheduler',
] as const;
export type AppName = (typeof appNames)[number];

export interface HouseOptions {
  /** Logs, spools and the token key lie here. */
  dir: string;
  /** More environment for all apps, or other values. */
  env?: Record<string, string>;
  /** For Node itself, e.g. `--cpu-prof`. */
  nodeArgs?: readonly string[];
  /** Apps to start; all by default. */
  apps?: readonly AppName[];
  /** Told when an app ended that nobody asked to. It is started again. */
  onCrash?: (name: string, logFile: string) => void;
}

/** All apps on a stack, each a process of its own. */
export interface House extends AsyncDisposable {
  /** Where the tracking gateway listens. */
  publicUrl: string;
  /** Where mail that comes back is taken, as smtp://127.0.0.1:PORT. */
  inboundUrl: string;
  /** What every app was given. */
  env: Record<string, string>;
  app(name: AppName): AppProcess;
  /** Starts an app again that ended, or another instance's replacement; with a kill point for fault tests. */
  start(name: AppName, options?: { killPoint?: string; env?: Record<string, string> }): Promise<AppProcess>;
  stop(): Promise<void>;
}

/** Starts the apps and waits until each is ready. The database is migrated and the queue backend prepared before. */
export async function startHouse(stack: Stack, options: HouseOptions): Promise<House> {
  const gatewayPort = await freePort();
  const inboundPort = await freePort();
  const env: Record<string, string> = {
    ...stack.env,
    HEALTH_HOST: '127.0.0.1',
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: String(gatewayPort),
    PUBLIC_URL: `http://127.0.0.1:${gatewayPort}`,
    TOKEN_KEYS: kept(join(options.dir, 'token-keys'), () => `1:${randomKey()}`),
    SUPPRESSION_KEY: kept(join(options.dir, 'suppression-key'), randomKey),
    RETURN_PATH_DOMAIN: 'bounces.localhost.example',
    INBOUND_HOST: '127.0.0.1',
    INBOUND_SMTP_PORT: String(inboundPort),
    // The senders of the examples and of the tests.
    INBOUND_ADDRESSES: 'shop.example',
    NOTICE_FROM: 'postloop@localhost.example',
    SPOOL_DIR: join(options.dir, 'spool'),
    ...options.env,
  };

  const running = new Map<AppName, AppProcess>();
  let stopping = false;
  const start: House['start'] = async (name, { killPoint, env: more } = {}) => {
    const app = await startApp(name, {
      env: { ...env, ...more },
      logFile: join(options.dir, 'logs', `${name}.log`),
      ...(killPoint === undefined ? {} : { killPoint }),
      ...(options.nodeArgs === undefined ? {} : { nodeArgs: options.nodeArgs }),
    });
    running.set(name, app);
    void app.exited.then(() => {
      if (stopping || running.get(name) !== app || !options.onCrash) return;
      options.onCrash(name, app.logFile);
      void start(name).catch(() => undefined);
    });
    return app;
  };
  const stop = async () => {
    stopping = true;
    await Promise.all([...running.values()].map((app) => app.stop()));
  };
  try {
    await Promise.all((options.apps ?? appNames).map((name) => start(name)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    publicUrl: env.PUBLIC_URL ?? '',
    inboundUrl: `smtp://127.0.0.1:${env.INBOUND_SMTP_PORT}`,
    env,
    app(name) {
      const app = running.get(name);
      if (!app) throw new Error(`${name} is not running`);
      return app;
    },
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const randomKey = (): string => randomBytes(32).toString('base64');

/** The same over restarts: mails that were sent carry tokens of the one key, erased addresses are hashed with the other. */
function kept(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
