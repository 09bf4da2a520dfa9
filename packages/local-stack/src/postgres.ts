import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.js';
import { postgresBinaries } from './postgres-binaries.js';
import { type Cluster, prepareCluster } from './postgres-cluster.js';
import { clearOrphan, recordOwner } from './postgres-orphan.js';
import { postgresUser, type SystemUser } from './postgres-user.js';
import { waitUntilReady } from './ready.js';
import { type Exit, type ServerProcess, spawnServer } from './server-process.js';

export interface PostgresOptions {
  /** Holds `data/`, `password`, `postgres.log`. Made when missing; one that is there is used again, also after a kill -9. */
  dir: string;
  /** Default: a free one, another at each start. */
  port?: number;
  /** Further settings, e.g. `{ log_min_duration_statement: '100' }`. */
  settings?: Record<string, string>;
  startTimeoutMs?: number;
}

export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** Connection string of the superuser, password included. */
  url(database?: string): string;
  /** Makes a database unless it is there, and returns its connection string. `name`: lower case letters, digits, `_`. */
  createDatabase(name: string): Promise<string>;
  /** For fault tests; await `exited` to see it gone. */
  kill(signal: NodeJS.Signals): boolean;
  /** Fast shutdown: open connections are cut, everything committed is on disk. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL on 127.0.0.1; resolves when it answers queries. It is stopped when this process ends (not by SIGKILL). */
export async function startPostgres(given: PostgresOptions): Promise<PostgresServer> {
  const options = { ...given, dir: resolve(given.dir) };
  const user = await postgresUser();
  const native = await postgresBinaries(user);
  const cluster = await prepareCluster(options.dir, native, user);
  await clearOrphan(options.dir);
  await recordOwner(options.dir);
  const deadline = Date.now() + (options.startTimeoutMs ?? 60_000);
  for (;;) {
    try {
      return await launch(options, native, user, cluster, deadline - Date.now());
    } catch (error) {
      if (!isPassing(error, options) || Date.now() > deadline) throw error;
      await delay(200);
    }
  }
}

async function launch(
  options: PostgresOptions,
  native: string,
  user: SystemUser | undefined,
  cluster: Cluster,
  timeoutMs: number,
): Promise<PostgresServer> {
  const port = options.port ?? (await freePort());
  const logFile = join(options.dir, 'postgres.log');
  const child = await spawnServer({
    command: join(native, 'bin', 'postgres'),
    args: ['-D', cluster.data, ...settings(port, options.settings ?? {})],
    logFile,
    user,
    lastSignal: 'SIGINT',
  });
  const url = (database = 'postgres') => `postgres://postgres:${cluster.password}@127.0.0.1:${port}/${database}`;
  await waitUntilReady('PostgreSQL', child, logFile, () => answers(url()), timeoutMs);
  return server(child, port, logFile, url);
}

function settings(port: number, further: Record<string, string>): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    fsync: 'on',
    timezone: 'UTC',
    log_line_prefix: '%m [%p] %d ',
    ...further,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function server(
  child: ServerProcess,
  port: number,
  logFile: string,
  url: (database?: string) => string,
): PostgresServer {
  const stop = async () => {
    child.kill('SIGINT');
    await child.exited;
  };
  return {
    port,
    pid: child.pid,
    logFile,
    exited: child.exited,
    url,
    kill: child.kill,
    stop,
    [Symbol.asyncDispose]: stop,
    createDatabase: async (name) => {
      if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new Error(`not a database name: ${JSON.stringify(name)}`);
      await query(url(), `CREATE DATABASE "${name}"`).catch((error: unknown) => {
        if (!hasCode(error, DUPLICATE_DATABASE)) throw error;
      });
      return url(name);
    },
  };
}

const DUPLICATE_DATABASE = '42P04';

async function answers(url: string): Promise<boolean> {
  await query(url, 'SELECT 1');
  return true;
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A connection that breaks is told by the rejected promise as well.
  client.on('error', () => {});
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** Backends of a killed server take a moment to notice, and a free port may be taken before we bind it. */
function isPassing(error: unknown, options: PostgresOptions): boolean {
  if (!(error instanceof Error)) return false;
  if (/pre-existing shared memory block/.test(error.message)) return true;
  return options.port === undefined && /could not create any TCP\/IP sockets/.test(error.message);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
