import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import {
  databaseConfig,
  dkimConfig,
  type Environment,
  integer,
  queueConfig,
  sftpConfig,
  smtpConfig,
  trackingConfig,
} from '@postloop/service-kit';
import { z } from 'zod';
import { Problem } from './support/problem.js';

// The only file of the command line that reads the environment.

/** The variables that commands ask for, in groups. Names and meanings are those of the apps. */
export const configGroups = {
  database: { ...databaseConfig, DATABASE_POOL: integer(1, 100).default(3).describe('most connections to PostgreSQL') },
  queue: queueConfig,
  sftp: sftpConfig,
  smtp: smtpConfig,
  dkim: dkimConfig,
  tracking: trackingConfig,
  dns: {
    RETURN_PATH_DOMAIN: z.string().describe('domain of the envelope senders that bounces come back to'),
  },
} as const;

/** Where the settings of a command come from. */
export interface Settings {
  env: Environment;
  /** For people: `the environment`, or the path of an env file. */
  source: string;
  /** They come from a local stack's env file. */
  local: boolean;
}

/** The folder of a local stack, below the current folder. */
export const DEFAULT_FOLDER = '.postloop';

/** Any of these in the environment means that the stack is somebody's own: a local env file is then left alone. */
const CONNECTIONS = ['DATABASE_URL', 'REDIS_URL', 'SFTP_HOST', 'SMTP_URL'];

/**
 * Settings for a command: the env file of `--dir`; else the environment, if it names any server; else the env file of
 * `.postloop/` in the current folder. An env file's values take the place of the environment's, never a mixture of servers.
 */
export function loadSettings(dir?: string, given: Environment = process.env): Settings {
  const file = join(resolve(dir ?? DEFAULT_FOLDER), 'env');
  if (dir !== undefined && !existsSync(file))
    throw new Problem(`there is no ${file}`, `Start the local stack with \`postloop up --dir ${dir}\`.`, 2);
  const isOwn = CONNECTIONS.some((name) => given[name] || given[`${name}_FILE`]);
  if (dir === undefined && (isOwn || !existsSync(file))) return { env: given, source: 'the environment', local: false };
  return { env: parseEnv(readFileSync(file, 'utf8')), source: file, local: true };
}

/** Terminal colours are left out when the person says so (https://no-color.org). */
export const wantsColour = (stream: NodeJS.WriteStream): boolean => stream.isTTY === true && !process.env.NO_COLOR;
