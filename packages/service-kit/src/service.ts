import { type Clock, describeError, systemClock } from '@postloop/contracts';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { z } from 'zod';
import { ConfigError, parseConfig, serviceConfig } from './config.js';
import { type ReadinessCheck, startHealthServer } from './health.js';
import { armKillPoint } from './kill-point.js';
import { createLogger, type Logger } from './logger.js';
import { startTracing } from './start-tracing.js';

/** What a service gets besides its configuration. */
export interface ServiceContext {
  log: Logger;
  metrics: Registry;
  clock: Clock;
}

/** A running service: disposing it stops taking work, finishes or puts back what runs, and closes. */
export interface Service extends AsyncDisposable {
  /** What `/readyz` asks: one check for each real dependency. */
  checks: Record<string, ReadinessCheck>;
}

const kitSchema = z.object(serviceConfig);

/** A fresh context: the process's own, or a test's that starts a service without a process around it. */
export function createContext(name: string, logLevel: string): ServiceContext {
  return { log: createLogger(name, logLevel), metrics: new Registry(), clock: systemClock };
}

/**
 * The life of a process: configuration, logger, health server, the service, a clean stop on SIGTERM or SIGINT.
 * `--check-config` only checks the configuration. The schema contains `serviceConfig`.
 * Exit codes: 0 stopped, 1 failed, 2 bad configuration.
 */
export async function runService<S extends z.ZodObject>(
  name: string,
  schema: S,
  start: (config: z.output<S>, context: ServiceContext) => Promise<Service>,
): Promise<void> {
  const configs = readConfig(name, schema);
  if (!configs) return;
  const { config, kit } = configs;
  armKillPoint(kit.POSTLOOP_KILL_POINT);
  const context = createContext(name, kit.LOG_LEVEL);
  const { log, metrics } = context;
  collectDefaultMetrics({ register: metrics });

  const fail = (error: unknown) => {
    log.fatal({ error: describeError(error), stack: error instanceof Error ? error.stack : undefined }, 'failed');
    process.exitCode = 1;
    // What is open would keep the process alive half dead.
    setImmediate(() => process.exit(1));
  };
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);

  const tracing = await startTracing(name, kit, log);
  let service: Service | undefined;
  const health = await startHealthServer({
    host: kit.HEALTH_HOST,
    port: kit.HEALTH_PORT,
    metrics,
    checks: () => service?.checks,
  });
  const stopped = stopSignal();
  service = await start(config, context);
  log.info({ healthPort: health.port }, 'started');

  const signal = await stopped;
  log.info({ signal }, 'stopping');
  const running = service;
  service = undefined;
  await running[Symbol.asyncDispose]();
  await health[Symbol.asyncDispose]();
  await tracing[Symbol.asyncDispose]();
  log.info('stopped');
  // Idle sockets of libraries must not hold a stopped process.
  setTimeout(() => process.exit(), 1_000).unref();
}

function readConfig<S extends z.ZodObject>(name: string, schema: S) {
  try {
    const config = parseConfig(schema, process.env);
    if (!process.argv.includes('--check-config')) return { config, kit: kitSchema.parse(config) };
    process.stdout.write(`${name}: the configuration is valid\n`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
  return undefined;
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}
