import { z } from 'zod';
import type { Environment } from './env.js';
import type { Logger } from './logger.js';
import { tracingOn } from './tracing.js';

/** Every problem of a configuration at once, one line each. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s):\n${problems.map((p) => `  ${p}`).join('\n')}`);
  }
}

/** Checks the environment against the schema. An empty variable counts as absent. Throws ConfigError. */
export function parseConfig<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => {
      const name = issue.path.join('.') || 'environment';
      const shape = schema.shape[name as keyof typeof schema.shape] as z.ZodType | undefined;
      const meaning = shape?.description ? ` (${shape.description})` : '';
      return `${name}: ${name in given ? issue.message : 'is not set'}${meaning}`;
    }),
  );
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
    .describe('for fault tests: NAME or NAME:COUNT, where the process kills itself'),
};

export const databaseConfig = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe('PostgreSQL, as postgres://user:password@host:port/database'),
  DATABASE_POOL: integer(1, 100).default(8).describe('most connections to PostgreSQL from this process'),
};

type DatabaseSettings = z.output<z.ZodObject<typeof databaseConfig>>;

/** How to open the database that the configuration names, with at least `needed` connections. */
export function databaseOptions(config: DatabaseSettings, log: Pick<Logger, 'warn'>, needed = 1) {
  return {
    url: config.DATABASE_URL,
    poolMax: Math.max(config.DATABASE_POOL, needed),
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

export const sftpConfig = {
  SFTP_HOST: z.string().describe('SFTP server shared with the external system'),
  SFTP_PORT: integer(1, 65_535).default(22).describe('its port'),
  SFTP_USERNAME: z.string().describe('account of Postloop on it'),
  SFTP_PASSWORD: z.string().optional().describe('its password, or'),
  SFTP_PRIVATE_KEY: z.string().optional().describe('its private key (PEM); SFTP_PRIVATE_KEY_FILE names a file'),
  SFTP_ROOT: z
    .string()
    .startsWith('/')
    .default('/')
    .describe("directory on it below which the clients' directories lie"),
  SFTP_HOST_KEY: z
    .string()
    .describe('pinned host key: SHA256:… or an OpenSSH public key line; several separated by line breaks'),
};

type SftpSettings = z.output<z.ZodObject<typeof sftpConfig>>;

/** The SFTP account that the configuration names. */
export function sftpConnection(config: SftpSettings) {
  return {
    host: config.SFTP_HOST,
    port: config.SFTP_PORT,
    username: config.SFTP_USERNAME,
    hostKey: config.SFTP_HOST_KEY,
    root: config.SFTP_ROOT,
    ...(config.SFTP_PASSWORD === undefined ? {} : { password: config.SFTP_PASSWORD }),
    ...(config.SFTP_PRIVATE_KEY === undefined ? {} : { privateKey: config.SFTP_PRIVATE_KEY }),
  };
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
