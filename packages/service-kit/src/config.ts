import { z } from 'zod';
import { type Environment, readVariables } from './env.js';
import type { Logger } from './logger.js';
import { tracingOn } from './tracing.js';

/** Every problem of a configuration at once, one line each. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s):\n${problems.map((p) => `  ${p}`).join('\n')}`);
  }
}

/**
 * Checks the environment against the schema; variables that it does not know are not looked at. An empty variable counts as
 * absent, and `X_FILE` names a file that holds an absent `X`.
 * @throws ConfigError
 */
export function parseConfig<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const { given, unreadable } = readVariables(Object.keys(schema.shape), env);
  const problems = Object.entries(unreadable).map(([name, problem]) => `${name}: ${problem}`);
  const parsed = schema.safeParse(given);
  if (parsed.success && problems.length === 0) return parsed.data;
  for (const issue of parsed.error?.issues ?? []) {
    const name = issue.path.join('.') || 'environment';
    if (name in unreadable) continue;
    const shape = schema.shape[name as keyof typeof schema.shape] as z.ZodType | undefined;
    const meaning = shape?.description ? ` (${shape.description})` : '';
    problems.push(`${name}: ${name in given ? issue.message : 'is not set'}${meaning}`);
  }
  throw new ConfigError(problems);
}

/** A whole number from the environment. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) => z.coerce.number().int().min(min).max(max);

/** What every app reads. */
export const serviceConfig = {
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('least level that is logged'),
  HEALTH_HOST: z.string().default('0.0.0.0').describe('address that /healthz, /readyz and /metrics listen on'),
  HEALTH_PORT: integer(0, 65_535).default(9_090).describe('port of /healthz, /readyz and /metrics; 0 = any free one'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('turns tracing on: an OpenTelemetry collector (OTLP over HTTP), as http://host:4318'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('share of traces that are kept; whoever begins a trace decides for all of it'),
  POSTLOOP_KILL_POINT: z
    .string()
    .optional()
    .describe('for fault tests: NAME, NAME:COUNT or NAME:COUNT:SIGNAL, where the process kills itself'),
};

export const databaseConfig = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe('PostgreSQL, as postgres://user:password@host:port/database'),
  DATABASE_POOL: integer(1, 100).default(8).describe('most connections to PostgreSQL from this process'),
  SUPPRESSION_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/_-]{43,85}={0,2}$/)
    .transform((text) => Buffer.from(text, 'base64'))
    .optional()
    .describe(
      'BASE64 of 32 to 64 bytes, the same for every app and never changed: hashes erased addresses that are not to be mailed',
    ),
};

type DatabaseSettings = z.output<z.ZodObject<typeof databaseConfig>>;

/** How to open the database that the configuration names, with at least `needed` connections. */
export function databaseOptions(config: DatabaseSettings, log: Pick<Logger, 'warn'>, needed = 1) {
  return {
    url: config.DATABASE_URL,
    poolMax: Math.max(config.DATABASE_POOL, needed),
    suppressionKey: config.SUPPRESSION_KEY,
    onError: (error: Error) => log.warn({ error: error.message }, 'database connection'),
  };
}

export const queueConfig = {
  QUEUE_BACKEND: z
    .enum(['redis', 'postgres'])
    .default('redis')
    .describe('where jobs wait: redis, or postgres = DATABASE_URL'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Redis with maxmemory-policy noeviction, as redis://host:port'),
  JOB_LOCK_MS: integer(1_000, 600_000)
    .default(30_000)
    .describe('how long a job stays with a worker that fell silent; running it twice is harmless, so short is fine'),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[\w-]+$/)
    .default('postloop')
    .describe('prefix of all queue keys'),
};

type QueueSettings = z.output<z.ZodObject<typeof queueConfig & typeof databaseConfig>>;

/** The queue connection that the configuration names; jobs carry their trace when tracing is on. */
export function queueConnection(config: QueueSettings) {
  const shared = { prefix: config.QUEUE_PREFIX, tracing: tracingOn() };
  if (config.QUEUE_BACKEND === 'postgres') return { backend: 'postgres' as const, url: config.DATABASE_URL, ...shared };
  if (!config.REDIS_URL) throw new ConfigError(['REDIS_URL: is not set (needed with QUEUE_BACKEND=redis)']);
  return { backend: 'redis' as const, url: config.REDIS_URL, ...shared };
}

/** What mails carry and the gateway answers to. */
export const trackingConfig = {
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('address of the tracking gateway as recipients see it'),
  TOKEN_KEYS: z
    .string()
    .regex(/^\d{1,3}:[A-Za-z0-9+/_-]{43,}=?(,\d{1,3}:[A-Za-z0-9+/_-]{43,}=?)*$/)
    .transform((text) =>
      text.split(',').map((part) => {
        const [id = '', secret = ''] = part.split(':');
        return { id: Number(id), secret: Buffer.from(secret, 'base64') };
      }),
    )
    .describe(
      'keys that sign links and return paths: ID:BASE64 of 32 bytes, comma-separated; the first signs, all are accepted',
    ),
};
